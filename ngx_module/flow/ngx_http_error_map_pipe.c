
#include "ngx_http_error_map_block.h"
#include "ngx_http_error_map_pipe.h"
#include "ngx_http_error_map_total.h"
#include "ngx_http_error_map_util.h"


/*
 * A held buffer is out of the pipe's accounts: it is not counted as busy, and once
 * all buffers of the pipe are held, it may allocate as many again, or gets blocks
 * of others.  So it never waits for a client that could not take anything.  The
 * additional buffers are freed once they are sent.
 */


/*
 * The smallest text of a buffer that is worth a chain link and nginx's buffer,
 * which take some 100 bytes.
 */

#define NGX_HTTP_ERROR_MAP_PIPE_MIN  512


/*
 * Bytes that are given at a time, a part of a processor's cache: the pipe fills
 * all buffers that it has before it passes one.
 */

#define NGX_HTTP_ERROR_MAP_PIPE_GIVEN  (8 * NGX_HTTP_ERROR_MAP_BLOCK)


/*
 * A block that is given to the pipe: its buffers, and their memory, follow.  The
 * blocks of a response are in the order in which the pipe uses them.
 */

struct ngx_http_error_map_bufs_s {
    ngx_http_error_map_bufs_t      *next;
    ngx_uint_t                      n;       /* that the pipe has */
};


#define ngx_http_error_map_pipe_is_given(b)                                   \
    ((b)->tag == (ngx_buf_tag_t) &ngx_http_error_map_filter_module)


static ngx_event_pipe_t *ngx_http_error_map_pipe(
    ngx_http_error_map_hold_t *hold);
static ngx_uint_t ngx_http_error_map_pipe_done(ngx_event_pipe_t *p);
static ngx_buf_t *ngx_http_error_map_pipe_raw(ngx_buf_t *b);
static void ngx_http_error_map_pipe_raise(ngx_http_error_map_hold_t *hold);
static size_t ngx_http_error_map_pipe_rest(ngx_http_error_map_hold_t *hold);
static ngx_chain_t **ngx_http_error_map_pipe_give_block(
    ngx_http_error_map_hold_t *hold, ngx_chain_t **ll);
static void ngx_http_error_map_pipe_account(ngx_http_error_map_hold_t *hold);
static void ngx_http_error_map_pipe_take_back(ngx_http_error_map_hold_t *hold,
    ngx_buf_t *b);


/* returns the pipe that sends the response, or NULL */

static ngx_event_pipe_t *
ngx_http_error_map_pipe(ngx_http_error_map_hold_t *hold)
{
    ngx_event_pipe_t    *p;
    ngx_http_request_t  *r;

    r = hold->request;

    if (!hold->upstream
        || !ngx_http_error_map_upstream_active(r)
        || !r->upstream->buffering)
    {
        return NULL;
    }

    p = r->upstream->pipe;

    /*
     * A pipe without a pool has not started, as the response is in the cache.
     * One that writes to a file has its buffers back at once.  Smaller buffers
     * than nginx allocates apart could not be freed before the request ends.
     */

    if (p == NULL
        || p->pool == NULL
        || p->cacheable
        || (size_t) p->bufs.size <= p->pool->max)
    {
        return NULL;
    }

    return p;
}


static ngx_uint_t
ngx_http_error_map_pipe_done(ngx_event_pipe_t *p)
{
    return p->upstream_done || p->upstream_eof || p->upstream_error;
}


/*
 * A buffer that the pipe reads into may come as several ones, one for each
 * chunk.  They can be held if most of its memory is text; the first one and the
 * last ones in any case.
 */

ngx_chain_t *
ngx_http_error_map_pipe_own(ngx_http_error_map_hold_t *hold, ngx_chain_t *in)
{
    size_t             size;
    ngx_buf_t         *b;
    ngx_uint_t         n;
    ngx_chain_t       *cl;
    ngx_event_pipe_t  *p;

    p = ngx_http_error_map_pipe(hold);

    if (p == NULL) {
        return in;
    }

    size = 0;
    n = 0;

    for (cl = in; cl; cl = cl->next) {
        b = cl->buf;

        if (b->tag != p->tag
            || !b->temporary
            || b->in_file
            || b->start != in->buf->start)
        {
            break;
        }

        size += b->last - b->pos;
        n++;
    }

    if (n
        && hold->size
        && !ngx_http_error_map_pipe_done(p)
        && (size < n * NGX_HTTP_ERROR_MAP_PIPE_MIN
            || size < (size_t) (in->buf->end - in->buf->start) / 2))
    {
        return in;
    }

    return cl;
}


void
ngx_http_error_map_pipe_keep(ngx_http_error_map_hold_t *hold, ngx_buf_t *b)
{
    size_t             size;
    ngx_buf_t         *raw;
    ngx_event_pipe_t  *p;

    if (hold->last == NULL || hold->last->start != b->start) {
        p = hold->request->upstream->pipe;

        if (hold->pipe == NULL) {
            hold->pipe = p;
            hold->num = p->bufs.num;
        }

        size = b->end - b->start;

        raw = ngx_http_error_map_pipe_raw(b);

        if (raw && ngx_http_error_map_pipe_is_given(raw)) {

            /* it is in the pipe's busy_size already */

            hold->given_size -= size;

        } else {
            p->busy_size += size;

            if (raw == NULL || raw->tag == NULL) {
                hold->bufs++;
            }
        }

        hold->busy_size += size;
    }

    size = b->last - b->pos;

    hold->linked += size;
    ngx_http_error_map_add(size);
}


/* returns the buffer of the pipe that the buffer shadows, or NULL */

static ngx_buf_t *
ngx_http_error_map_pipe_raw(ngx_buf_t *b)
{
    while (!b->last_shadow) {
        b = b->shadow;

        if (b == NULL) {
            return NULL;
        }
    }

    return b->shadow;
}


/* lets the pipe allocate another buffer for each of its own that is held */

static void
ngx_http_error_map_pipe_raise(ngx_http_error_map_hold_t *hold)
{
    hold->pipe->bufs.num = hold->num + hold->bufs;
}


/*
 * The pipe must not find all of its buffers held: it would ask the filters for a
 * free one again and again.
 */

ngx_int_t
ngx_http_error_map_pipe_give(ngx_http_error_map_hold_t *hold)
{
    size_t             n, size;
    ngx_chain_t      **ll;
    ngx_event_pipe_t  *p;

    p = hold->pipe;

    if (p == NULL
        || p->in
        || p->free_raw_bufs
        || p->allocated < p->bufs.num
        || ngx_http_error_map_pipe_done(p))
    {
        return NGX_OK;
    }

    size = ngx_http_error_map_pipe_rest(hold);

    if (size < NGX_HTTP_ERROR_MAP_BLOCK
        || ngx_http_error_map_room(size) != NGX_OK)
    {
        ngx_http_error_map_pipe_raise(hold);
        return NGX_OK;
    }

    size = ngx_min(size, NGX_HTTP_ERROR_MAP_PIPE_GIVEN);

    ll = &p->free_raw_bufs;

    for (n = 0; n < size; n += NGX_HTTP_ERROR_MAP_BLOCK) {
        ll = ngx_http_error_map_pipe_give_block(hold, ll);
        if (ll == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_http_error_map_pipe_account(hold);

    return NGX_OK;
}


/*
 * Returns the rest of the body, at most that of the limit, if its length is
 * known; otherwise an eighth of what is held, at least a block.
 */

static size_t
ngx_http_error_map_pipe_rest(ngx_http_error_map_hold_t *hold)
{
    off_t   rest;
    size_t  size;

    size = hold->reader.left + hold->reader.size;
    size = (size > hold->size) ? size - hold->size : 0;
    rest = hold->request->headers_out.content_length_n;

    if (rest > (off_t) hold->size) {
        rest -= hold->size;
        return (rest < (off_t) size) ? (size_t) rest : size;
    }

    if (hold->size < NGX_HTTP_ERROR_MAP_BLOCK) {
        return 0;
    }

    return ngx_min(size, ngx_max(hold->size / 8, NGX_HTTP_ERROR_MAP_BLOCK));
}


/* links the buffers of a block to ll; returns the new end, or NULL on error */

static ngx_chain_t **
ngx_http_error_map_pipe_give_block(ngx_http_error_map_hold_t *hold,
    ngx_chain_t **ll)
{
    u_char                     *start;
    size_t                      size, each;
    ngx_buf_t                  *b;
    ngx_uint_t                  i;
    ngx_chain_t                *cl;
    ngx_http_error_map_bufs_t  *bufs;

    bufs = ngx_http_error_map_block_alloc(hold->request->connection->log);
    if (bufs == NULL) {
        return NULL;
    }

    bufs->next = NULL;

    *hold->last_given = bufs;
    hold->last_given = &bufs->next;

    /*
     * The pipe passes a buffer once it is full or a chunk ends in it, and looks
     * at all busy ones each time.  So they grow with what is held if there are
     * no chunks.
     */

    each = hold->pipe->bufs.size;

    if (hold->request->headers_out.content_length_n != -1) {
        each = ngx_max(each, hold->size / 8);
    }

    size = NGX_HTTP_ERROR_MAP_BLOCK - sizeof(ngx_http_error_map_bufs_t);

    each += sizeof(ngx_buf_t);

    bufs->n = (size + each - 1) / each;
    each = size / bufs->n - sizeof(ngx_buf_t);

    b = (ngx_buf_t *) (bufs + 1);
    start = (u_char *) (b + bufs->n);

    ngx_memzero(b, bufs->n * sizeof(ngx_buf_t));

    for (i = 0; i < bufs->n; i++, b++) {
        cl = ngx_alloc_chain_link(hold->pipe->pool);
        if (cl == NULL) {
            return NULL;
        }

        b->start = start;
        b->pos = start;
        b->last = start;

        start += each;

        b->end = start;
        b->temporary = 1;
        b->tag = (ngx_buf_tag_t) &ngx_http_error_map_filter_module;

        cl->buf = b;
        cl->next = NULL;

        *ll = cl;
        ll = &cl->next;
    }

    return ll;
}


void
ngx_http_error_map_pipe_leave(ngx_http_error_map_hold_t *hold)
{
    ngx_buf_t         *b;
    ngx_chain_t       *cl, **ll;
    ngx_event_pipe_t  *p;

    if (hold->busy_size == 0) {
        return;
    }

    p = hold->pipe;

    p->busy_size -= hold->busy_size;
    hold->busy_size = 0;

    /* nginx expects that not all of its buffers are busy */

    ngx_http_error_map_pipe_raise(hold);

    /* it has its own ones from now on */

    ll = &p->free_raw_bufs;

    while (hold->given && *ll) {
        cl = *ll;
        b = cl->buf;

        if (!ngx_http_error_map_pipe_is_given(b)) {
            ll = &cl->next;
            continue;
        }

        if (b->pos != b->last) {

            /* the client waits for no more than one of these */

            if (b->end - b->last > (ssize_t) p->bufs.size) {
                b->end = b->last + p->bufs.size;
            }

            ll = &cl->next;
            continue;
        }

        *ll = cl->next;

        ngx_http_error_map_pipe_take_back(hold, b);
        ngx_free_chain(p->pool, cl);
    }

    ngx_http_error_map_pipe_account(hold);
}


/*
 * The pipe passes no more than p->busy_size until its client takes it.  A given
 * buffer may be larger: it is added until it is passed.  After that, the pipe
 * would pass all of its own ones while the client takes none.
 */

static void
ngx_http_error_map_pipe_account(ngx_http_error_map_hold_t *hold)
{
    size_t             size;
    ngx_buf_t         *b;
    ngx_chain_t       *cl;
    ngx_event_pipe_t  *p;

    p = hold->pipe;
    size = 0;

    for (cl = p->free_raw_bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_http_error_map_pipe_is_given(b)) {
            size += b->end - b->start;
        }
    }

    for (cl = p->in; cl; cl = cl->next) {
        b = cl->buf;

        if (b->last_shadow && ngx_http_error_map_pipe_is_given(b->shadow)) {
            size += b->end - b->start;
        }
    }

    p->busy_size += size - hold->given_size;
    hold->given_size = size;
}


void
ngx_http_error_map_pipe_watch(ngx_http_error_map_hold_t *hold, ngx_buf_t *b)
{
    ngx_buf_t         *last;
    ngx_chain_t       *cl;
    ngx_event_pipe_t  *p;

    p = hold->pipe;

    if (p == NULL
        || (hold->bufs == 0 && hold->given == NULL)
        || b->tag != p->tag
        || !b->last_shadow
        || b->shadow == NULL)
    {
        return;
    }

    /* another filter may have passed a copy of what the pipe will look at */

    last = b->shadow->shadow;

    while (last && !last->last_shadow) {
        last = last->shadow;
    }

    if (last != b) {
        return;
    }

    cl = ngx_alloc_chain_link(hold->request->pool);
    if (cl == NULL) {

        /* the pipe keeps the buffer */

        return;
    }

    cl->buf = b;
    cl->next = NULL;

    if (hold->watched) {
        *hold->last_watched = cl;

    } else {
        hold->watched = cl;
    }

    hold->last_watched = &cl->next;
}


/*
 * The pipe looks for sent buffers after the filters have returned to it.  It does
 * not find those that were held, as it may have to read before: a timer or an
 * event of the client can send them, too.  It may allocate others instead.
 */

void
ngx_http_error_map_pipe_sent(ngx_http_error_map_hold_t *hold)
{
    ngx_buf_t         *b, *raw;
    ngx_chain_t       *cl;
    ngx_event_pipe_t  *p;

    if (hold->given) {
        ngx_http_error_map_pipe_account(hold);
    }

    if (hold->watched == NULL) {
        return;
    }

    p = hold->pipe;

    while (hold->watched) {
        cl = hold->watched;
        b = cl->buf;

        if (b->last_shadow && b->pos != b->last) {
            return;
        }

        hold->watched = cl->next;
        ngx_free_chain(hold->request->pool, cl);

        if (!b->last_shadow) {

            /* the pipe has looked at it */

            continue;
        }

        raw = b->shadow;

        if (ngx_http_error_map_pipe_is_given(raw)) {
            ngx_http_error_map_pipe_take_back(hold, raw);
            b->last_shadow = 0;

        } else if (raw->tag == NULL
                   && hold->bufs
                   && ngx_pfree(p->pool, raw->start) == NGX_OK)
        {
            p->allocated--;
            b->last_shadow = 0;

            hold->bufs--;
            ngx_http_error_map_pipe_raise(hold);
        }
    }

    ngx_http_error_map_subtract(hold->linked);
    hold->linked = 0;
}


static void
ngx_http_error_map_pipe_take_back(ngx_http_error_map_hold_t *hold,
    ngx_buf_t *b)
{
    ngx_http_error_map_bufs_t  *bufs, **next;

    for (next = &hold->given; *next; next = &bufs->next) {
        bufs = *next;

        if ((u_char *) b < (u_char *) bufs
            || (u_char *) b >= (u_char *) bufs + NGX_HTTP_ERROR_MAP_BLOCK)
        {
            continue;
        }

        if (--bufs->n == 0) {
            *next = bufs->next;

            if (*next == NULL) {
                hold->last_given = next;
            }

            ngx_http_error_map_block_free(bufs);
        }

        return;
    }
}


void
ngx_http_error_map_pipe_free(ngx_http_error_map_hold_t *hold)
{
    ngx_http_error_map_bufs_t  *bufs;

    while (hold->given) {
        bufs = hold->given;
        hold->given = bufs->next;

        ngx_http_error_map_block_free(bufs);
    }
}
