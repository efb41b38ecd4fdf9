
#include "ngx_http_error_map_pipe.h"
#include "ngx_http_error_map_total.h"
#include "ngx_http_error_map_util.h"


/*
 * A held buffer is out of the pipe's accounts: the pipe may have another one for
 * it, and does not count it as busy.  So the pipe has as many buffers left as
 * without a hold, whatever other filters keep of them, and never waits for a
 * client that could not take anything.  The additional buffers are freed once
 * they are sent.
 */


/*
 * The smallest text of a buffer that is worth a chain link and nginx's buffer,
 * which take some 100 bytes.
 */

#define NGX_HTTP_ERROR_MAP_PIPE_MIN  512


/*
 * The smallest rest of a body whose buffers are allocated together: they are
 * read in fewer calls, and malloc() keeps their memory for the next request.
 */

#define NGX_HTTP_ERROR_MAP_PIPE_LARGE  (128 * 1024)


/* buffers that were allocated together; they, and their memory, follow it */

struct ngx_http_error_map_bufs_s {
    ngx_http_error_map_bufs_t      *next;
    u_char                         *end;
    ngx_uint_t                      n;       /* that the pipe has */
};


static ngx_event_pipe_t *ngx_http_error_map_pipe(
    ngx_http_error_map_hold_t *hold);
static ngx_uint_t ngx_http_error_map_pipe_done(ngx_event_pipe_t *p);
static size_t ngx_http_error_map_pipe_large(ngx_http_error_map_hold_t *hold);
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
    size_t  size;

    if (hold->last == NULL || hold->last->start != b->start) {
        hold->pipe = hold->request->upstream->pipe;

        size = b->end - b->start;

        hold->pipe->bufs.num++;
        hold->pipe->busy_size += size;

        hold->bufs++;
        hold->busy_size += size;
    }

    size = b->last - b->pos;

    hold->linked += size;
    ngx_http_error_map_add(size);
}


/*
 * The pipe allocates a buffer at a time.  Those of a large rest are given to it
 * once its own ones are used up.
 */

ngx_int_t
ngx_http_error_map_pipe_give(ngx_http_error_map_hold_t *hold)
{
    size_t                      size;
    u_char                     *end;
    ngx_buf_t                  *b, *first;
    ngx_uint_t                  n;
    ngx_chain_t                *cl;
    ngx_event_pipe_t           *p;
    ngx_http_error_map_bufs_t  *bufs;

    p = hold->pipe;

    if (p == NULL
        || p->in
        || p->free_raw_bufs
        || p->allocated + (ngx_int_t) hold->bufs < p->bufs.num
        || ngx_http_error_map_pipe_done(p))
    {
        return NGX_OK;
    }

    size = ngx_http_error_map_pipe_large(hold);
    n = (size + p->bufs.size - 1) / p->bufs.size;

    if (n == 0 || ngx_http_error_map_room(size) != NGX_OK) {
        return NGX_OK;
    }

    size = sizeof(ngx_http_error_map_bufs_t)
           + n * (sizeof(ngx_buf_t) + p->bufs.size);

    bufs = ngx_palloc(p->pool, size);
    if (bufs == NULL) {
        return NGX_ERROR;
    }

    bufs->next = hold->given;
    bufs->end = (u_char *) bufs + size;
    bufs->n = n;

    hold->given = bufs;

    first = (ngx_buf_t *) (bufs + 1);
    end = bufs->end;

    ngx_memzero(first, n * sizeof(ngx_buf_t));

    for (b = first + n - 1; b >= first; b--) {
        cl = ngx_alloc_chain_link(p->pool);
        if (cl == NULL) {
            return NGX_ERROR;
        }

        b->end = end;
        end -= p->bufs.size;
        b->start = end;
        b->pos = end;
        b->last = end;
        b->temporary = 1;
        b->tag = (ngx_buf_tag_t) &ngx_http_error_map_filter_module;

        cl->buf = b;
        cl->next = p->free_raw_bufs;
        p->free_raw_bufs = cl;
    }

    return NGX_OK;
}


/*
 * Returns the rest of the body, at most that of the limit, if its length is
 * known, otherwise an eighth of what is held; 0 if that is not large.
 */

static size_t
ngx_http_error_map_pipe_large(ngx_http_error_map_hold_t *hold)
{
    off_t   rest;
    size_t  size;

    size = hold->reader.left + hold->reader.size;
    size = (size > hold->size) ? size - hold->size : 0;
    rest = hold->request->headers_out.content_length_n;

    if (rest > (off_t) hold->size) {
        rest -= hold->size;
        size = (rest < (off_t) size) ? (size_t) rest : size;

    } else if (hold->size >= NGX_HTTP_ERROR_MAP_PIPE_LARGE) {
        size = ngx_min(size, ngx_max(hold->size / 8,
                                     NGX_HTTP_ERROR_MAP_PIPE_LARGE));

    } else {
        return 0;
    }

    return (size >= NGX_HTTP_ERROR_MAP_PIPE_LARGE) ? size : 0;
}


void
ngx_http_error_map_pipe_leave(ngx_http_error_map_hold_t *hold)
{
    ngx_chain_t  *cl, **ll;

    if (hold->busy_size == 0) {
        return;
    }

    hold->pipe->busy_size -= hold->busy_size;
    hold->busy_size = 0;

    /* it has its own ones from now on */

    ll = &hold->pipe->free_raw_bufs;

    while (hold->given && *ll) {
        cl = *ll;

        if (cl->buf->tag != (ngx_buf_tag_t) &ngx_http_error_map_filter_module
            || cl->buf->pos != cl->buf->last)
        {
            ll = &cl->next;
            continue;
        }

        *ll = cl->next;

        ngx_http_error_map_pipe_take_back(hold, cl->buf);
        ngx_free_chain(hold->pipe->pool, cl);
    }
}


void
ngx_http_error_map_pipe_watch(ngx_http_error_map_hold_t *hold, ngx_buf_t *b)
{
    ngx_buf_t    *last;
    ngx_chain_t  *cl;

    if ((hold->bufs == 0 && hold->given == NULL)
        || b->tag != hold->pipe->tag
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
 * The pipe looks for sent buffers after the filters have returned.  It finds
 * its own ones, and not those that were needed in addition.
 */

void
ngx_http_error_map_pipe_sent(ngx_http_error_map_hold_t *hold)
{
    ngx_buf_t         *b, *raw;
    ngx_chain_t       *cl;
    ngx_event_pipe_t  *p;

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

        if (hold->bufs) {
            hold->bufs--;
            p->bufs.num--;
        }

        if (!b->last_shadow) {

            /* the pipe has looked at it */

            continue;
        }

        raw = b->shadow;

        if (raw->tag == (ngx_buf_tag_t) &ngx_http_error_map_filter_module) {
            ngx_http_error_map_pipe_take_back(hold, raw);
            b->last_shadow = 0;

        } else if (raw->tag == NULL
                   && p->allocated > p->bufs.num
                   && ngx_pfree(p->pool, raw->start) == NGX_OK)
        {
            p->allocated--;
            b->last_shadow = 0;
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

        if ((u_char *) b < (u_char *) bufs || (u_char *) b >= bufs->end) {
            continue;
        }

        if (--bufs->n == 0) {
            *next = bufs->next;
            (void) ngx_pfree(hold->pipe->pool, bufs);
        }

        return;
    }
}
