
#include "ngx_http_error_map_block.h"
#include "ngx_http_error_map_total.h"


typedef struct ngx_http_error_map_block_s  ngx_http_error_map_block_t;

struct ngx_http_error_map_block_s {
    ngx_http_error_map_block_t  *next;
};


static ngx_http_error_map_block_t  *ngx_http_error_map_blocks;
static size_t                       ngx_http_error_map_kept;


void *
ngx_http_error_map_block_alloc(ngx_log_t *log)
{
    ngx_http_error_map_block_t  *block;

    block = ngx_http_error_map_blocks;

    if (block == NULL) {
        return ngx_alloc(NGX_HTTP_ERROR_MAP_BLOCK, log);
    }

    ngx_http_error_map_blocks = block->next;
    ngx_http_error_map_kept -= NGX_HTTP_ERROR_MAP_BLOCK;

    return block;
}


/* with NGX_DEBUG_PALLOC, no memory is used again, so a sanitizer watches it */

void
ngx_http_error_map_block_free(void *p)
{
#if !(NGX_DEBUG_PALLOC)

    ngx_http_error_map_block_t *block = p;

    if (ngx_http_error_map_kept < ngx_http_error_map_total_max / 8) {
        block->next = ngx_http_error_map_blocks;
        ngx_http_error_map_blocks = block;
        ngx_http_error_map_kept += NGX_HTTP_ERROR_MAP_BLOCK;
        return;
    }

#endif

    ngx_free(p);
}
