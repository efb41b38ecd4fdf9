
#include "ngx_http_error_map_hold.h"
#include "ngx_http_error_map_pipe.h"
#include "ngx_http_error_map_total.h"


static ngx_int_t ngx_http_error_map_hold_link(ngx_http_error_map_hold_t *hold,
    ngx_buf_t *b);
static ngx_int_t ngx_http_error_map_hold_unlink(
    ngx_http_error_map_hold_t *hold);
static ngx_int_t ngx_http_error_map_hold_copy(ngx_http_error_map_hold_t *hold,
    ngx_buf_t *b);
static ngx_int_t ngx_http_error_map_copy(ngx_http_error_map_hold_t *hold,
    u_char *data, size_t len);
static ngx_buf_t *ngx_http_error_map_hold_buf(ngx_http_error_map_hold_t *hold,
    size_t len);
static void ngx_http_error_map_hold_free(ngx_http_error_map_hold_t *hold);


/* not declared in nginx's headers */
extern ngx_module_t  ngx_http_copy_filter_module;


ngx_int_t
ngx_http_error_map_hold_read(ngx_http_error_map_hold_t *hold, ngx_chain_t *in)
{
    size_t      size, skip;
    ngx_buf_t  *b;

    for ( /* void */ ; in; in = in->next) {

        b = in->buf;

        if (ngx_buf_in_memory(b)) {

            size = b->last - b->pos;
            skip = ngx_min(size, hold->skip);

            hold->skip -= skip;

            if (size != skip
                && ngx_http_error_map_reader_feed(&hold->reader, b->pos + skip,
                                                  size - skip)
                   == NGX_OK)
            {
                return NGX_OK;
            }

        } else if (ngx_buf_size(b) != 0) {

            /* in a file, although filter_need_in_memory is set */

            return ngx_http_error_map_reader_stop(&hold->reader,
                                         NGX_HTTP_ERROR_MAP_REASON_HOLD_SIZE);
        }

        if (b->last_buf
            || (b->last_in_chain && hold->request != hold->request->main))
        {
            return ngx_http_error_map_reader_end(&hold->reader);
        }
    }

    return NGX_AGAIN;
}


ngx_int_t
ngx_http_error_map_hold_broken(ngx_http_error_map_hold_t *hold, ngx_chain_t *in)
{
    if (!hold->upstream || hold->request->upstream->cleanup) {
        return 0;
    }

    for ( /* void */ ; in; in = in->next) {
        if (in->buf->flush) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_error_map_hold_append(ngx_http_error_map_hold_t *hold, ngx_chain_t *in)
{
    ngx_chain_t  *rest;

    while (in) {

        rest = hold->copied ? in : ngx_http_error_map_pipe_own(hold, in);

        if (rest == in) {

            if (!ngx_buf_special(in->buf)
                && ngx_http_error_map_hold_unlink(hold) != NGX_OK)
            {
                return NGX_ERROR;
            }

            ngx_http_error_map_pipe_watch(hold, in->buf);

            if (ngx_http_error_map_hold_copy(hold, in->buf) != NGX_OK) {
                return NGX_ERROR;
            }

            in = in->next;
            continue;
        }

        for ( /* void */ ; in != rest; in = in->next) {
            if (ngx_http_error_map_hold_link(hold, in->buf) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    if (hold->copied) {
        ngx_http_error_map_pipe_sent(hold);
        return NGX_OK;
    }

    return ngx_http_error_map_pipe_give(hold);
}


/*
 * Copies what is held without a copy, so that the pipe can use its buffers
 * again: it finds none free after a busy one.
 */

static ngx_int_t
ngx_http_error_map_hold_unlink(ngx_http_error_map_hold_t *hold)
{
    ngx_chain_t  *cl;

    if (hold->copied) {
        return NGX_OK;
    }

    hold->copied = 1;

    cl = hold->out;

    hold->out = NULL;
    hold->last_out = &hold->out;
    hold->last = NULL;
    hold->size = 0;

    ngx_http_error_map_subtract(hold->linked);
    hold->linked = 0;

    for ( /* void */ ; cl; cl = cl->next) {
        ngx_http_error_map_pipe_watch(hold, cl->buf);

        if (ngx_http_error_map_hold_copy(hold, cl->buf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_http_error_map_pipe_leave(hold);

    return NGX_OK;
}


/* holds a buffer of nginx's event pipe */

static ngx_int_t
ngx_http_error_map_hold_link(ngx_http_error_map_hold_t *hold, ngx_buf_t *b)
{
    ngx_chain_t  *cl;

    hold->flush |= b->flush;

    /* an empty one is free for the pipe */

    if (b->pos == b->last) {
        return NGX_OK;
    }

    cl = ngx_alloc_chain_link(hold->request->pool);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    ngx_http_error_map_pipe_keep(hold, b);

    cl->buf = b;
    cl->next = NULL;

    *hold->last_out = cl;
    hold->last_out = &cl->next;
    hold->last = b;
    hold->size += b->last - b->pos;

    return NGX_OK;
}


/* holds the bytes of a buffer, and consumes it */

static ngx_int_t
ngx_http_error_map_hold_copy(ngx_http_error_map_hold_t *hold, ngx_buf_t *b)
{
    if (ngx_buf_in_memory(b)
        && ngx_http_error_map_copy(hold, b->pos, b->last - b->pos) != NGX_OK)
    {
        return NGX_ERROR;
    }

    hold->flush |= b->flush;

    b->pos = b->last;
    b->file_pos = b->file_last;

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_copy(ngx_http_error_map_hold_t *hold, u_char *data,
    size_t len)
{
    size_t      size;
    ngx_buf_t  *b;

    while (len) {

        b = hold->buf;

        if (b == NULL || b->last == b->end) {
            b = ngx_http_error_map_hold_buf(hold, len);
            if (b == NULL) {
                return NGX_ERROR;
            }
        }

        size = ngx_min(len, (size_t) (b->end - b->last));

        b->last = ngx_cpymem(b->last, data, size);
        hold->size += size;

        data += size;
        len -= size;
    }

    return NGX_OK;
}


/* adds a buffer for at least len bytes */

static ngx_buf_t *
ngx_http_error_map_hold_buf(ngx_http_error_map_hold_t *hold, size_t len)
{
    off_t                       rest;
    size_t                      size, left;
    ngx_buf_t                  *b;
    ngx_chain_t                *cl;
    ngx_http_request_t         *r;
    ngx_http_error_map_held_t  *held;

    r = hold->request;

    /*
     * The rest of the body if its length is known, otherwise a page or as much
     * as is held; at most the rest of the limit.
     */

    left = hold->reader.left + hold->reader.size;
    left = (left > hold->size) ? left - hold->size : 0;
    rest = r->headers_out.content_length_n;

    if (rest > (off_t) hold->size) {
        rest -= hold->size;
        size = (rest < (off_t) left) ? (size_t) rest : left;

    } else {
        size = ngx_min(ngx_max(hold->size, ngx_pagesize), left);
    }

    size = ngx_max(size, len) + sizeof(ngx_http_error_map_held_t);

    if (ngx_http_error_map_room(size) != NGX_OK) {
        size = len + sizeof(ngx_http_error_map_held_t);
    }

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NULL;
    }

    held = ngx_http_error_map_take(size, r->connection->log);
    if (held == NULL) {
        return NULL;
    }

    held->next = NULL;
    held->buf = b;
    held->size = size;

    *hold->last_held = held;
    hold->last_held = &held->next;

    b->start = (u_char *) (held + 1);
    b->pos = b->start;
    b->last = b->start;
    b->end = (u_char *) held + size;
    b->temporary = 1;

    cl->buf = b;
    cl->next = NULL;

    *hold->last_out = cl;
    hold->last_out = &cl->next;
    hold->last = b;
    hold->buf = b;

    return b;
}


ngx_int_t
ngx_http_error_map_hold_room(ngx_http_error_map_hold_t *hold, ngx_chain_t *in)
{
    size_t  size;

    for (size = 0; in; in = in->next) {
        if (ngx_buf_in_memory(in->buf)) {
            size += in->buf->last - in->buf->pos;
        }
    }

    if (hold->buf) {
        size -= ngx_min(size, (size_t) (hold->buf->end - hold->buf->last));
    }

    if (size == 0) {
        return NGX_OK;
    }

    /* it may take two buffers */

    return ngx_http_error_map_room(size
                                   + 2 * sizeof(ngx_http_error_map_held_t));
}


void
ngx_http_error_map_hold_sent(ngx_http_error_map_hold_t *hold)
{
    ngx_buf_t  *b;

    ngx_http_error_map_pipe_sent(hold);

    while (hold->held) {
        b = hold->held->buf;

        if (b->pos != b->last) {
            return;
        }

        ngx_http_error_map_hold_free(hold);
    }
}


void
ngx_http_error_map_hold_discard(ngx_http_error_map_hold_t *hold)
{
    ngx_chain_t  *cl;

    while (hold->held) {
        hold->held->buf->pos = hold->held->buf->last;

        ngx_http_error_map_hold_free(hold);
    }

    /* those of the pipe */

    for (cl = hold->out; cl; cl = cl->next) {
        ngx_http_error_map_pipe_watch(hold, cl->buf);
    }

    ngx_http_error_map_hold_consume(hold->out);

    ngx_http_error_map_pipe_leave(hold);
    ngx_http_error_map_pipe_sent(hold);

    hold->out = NULL;
    hold->last_out = &hold->out;
    hold->last = NULL;
    hold->buf = NULL;
}


static void
ngx_http_error_map_hold_free(ngx_http_error_map_hold_t *hold)
{
    ngx_http_error_map_held_t  *held;

    held = hold->held;
    hold->held = held->next;

    if (hold->held == NULL) {
        hold->last_held = &hold->held;
    }

    ngx_http_error_map_give(held, held->size);
}


/*
 * The copy filter read the needs of the other filters before the header was
 * sent.  They are known now; the chain has already passed the copy filter, and
 * is copied if a filter is going to write to it.
 */

ngx_chain_t *
ngx_http_error_map_hold_needs(ngx_http_request_t *r,
    ngx_http_error_map_hold_t *hold, ngx_chain_t *in)
{
    ngx_buf_t               *b;
    ngx_chain_t             *cl;
    ngx_output_chain_ctx_t  *copy;

    copy = ngx_http_get_module_ctx(r, ngx_http_copy_filter_module);

    if (copy) {
        copy->need_in_memory = r->main_filter_need_in_memory
                               || r->filter_need_in_memory;
        copy->need_in_temp = r->filter_need_temporary;
    }

    if (in == NULL || !r->filter_need_temporary) {
        return in;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_CHAIN_ERROR;
    }

    for (cl = in; cl; cl = cl->next) {
        b->flush |= cl->buf->flush;
        b->last_buf |= cl->buf->last_buf;
        b->last_in_chain |= cl->buf->last_in_chain;
    }

    b->sync = !b->flush && !b->last_buf;

    for (cl = in; cl; cl = cl->next) {
        if (ngx_http_error_map_hold_copy(hold, cl->buf) != NGX_OK) {
            return NGX_CHAIN_ERROR;
        }
    }

    cl = ngx_alloc_chain_link(r->pool);
    if (cl == NULL) {
        return NGX_CHAIN_ERROR;
    }

    cl->buf = b;
    cl->next = NULL;

    return cl;
}


ngx_chain_t *
ngx_http_error_map_hold_flush(ngx_http_error_map_hold_t *hold, ngx_chain_t *in)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (hold->last == NULL) {
        return in;
    }

    for (cl = in; cl; cl = cl->next) {
        b = cl->buf;

        if (!ngx_buf_special(b) || b->last_buf || b->last_in_chain) {
            break;
        }

        hold->flush |= b->flush;
    }

    hold->last->flush = hold->flush;

    return cl ? in : NULL;
}


void
ngx_http_error_map_hold_consume(ngx_chain_t *in)
{
    ngx_buf_t  *b;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;
        b->pos = b->last;
        b->file_pos = b->file_last;
    }
}


void
ngx_http_error_map_hold_stop(ngx_http_error_map_hold_t *hold)
{
    if (hold->timer.timer_set) {
        ngx_del_timer(&hold->timer);
    }

    if (hold->timer.posted) {
        ngx_delete_posted_event(&hold->timer);
    }
}


void
ngx_http_error_map_hold_cleanup(void *data)
{
    ngx_http_error_map_hold_t *hold = data;

    ngx_http_error_map_hold_stop(hold);

    while (hold->held) {
        ngx_http_error_map_hold_free(hold);
    }

    ngx_http_error_map_pipe_free(hold);

    ngx_http_error_map_subtract(hold->linked);
}
