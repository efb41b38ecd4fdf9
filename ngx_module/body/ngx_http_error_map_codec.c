
#include "ngx_http_error_map_codec.h"
#include "ngx_http_error_map_total.h"


/* precedes each block of memory, and keeps it aligned */

typedef struct {
    ngx_queue_t                        queue;
    size_t                             size;
    size_t                             unused;
} ngx_http_error_map_block_t;


/*
 * Not from the pool, which would keep small blocks until the request ends: a
 * body can have its library allocate and free without an end.
 */

void *
ngx_http_error_map_codec_alloc(void *data, size_t size)
{
    ngx_http_error_map_decoder_t *decoder = data;

    uint64_t                     rest;
    ngx_http_error_map_block_t  *block;

    rest = decoder->max - decoder->memory;

    if (rest < sizeof(ngx_http_error_map_block_t)
        || size > rest - sizeof(ngx_http_error_map_block_t))
    {
        return NULL;
    }

    size += sizeof(ngx_http_error_map_block_t);

    if (ngx_http_error_map_room(size) != NGX_OK) {
        return NULL;
    }

    block = ngx_http_error_map_take(size, decoder->log);
    if (block == NULL) {
        return NULL;
    }

    block->size = size;
    decoder->memory += size;
    ngx_queue_insert_head(&decoder->blocks, &block->queue);

    return block + 1;
}


void
ngx_http_error_map_codec_free(void *data, void *p)
{
    ngx_http_error_map_decoder_t *decoder = data;

    ngx_http_error_map_block_t  *block;

    if (p == NULL) {
        return;
    }

    block = (ngx_http_error_map_block_t *) p - 1;

    decoder->memory -= block->size;
    ngx_queue_remove(&block->queue);

    ngx_http_error_map_give(block, block->size);
}


void
ngx_http_error_map_codec_end(ngx_http_error_map_decoder_t *decoder)
{
    ngx_queue_t                 *q;
    ngx_http_error_map_block_t  *block;

    while (!ngx_queue_empty(&decoder->blocks)) {
        q = ngx_queue_head(&decoder->blocks);

        ngx_queue_remove(q);

        block = ngx_queue_data(q, ngx_http_error_map_block_t, queue);

        ngx_http_error_map_give(block, block->size);
    }
}
