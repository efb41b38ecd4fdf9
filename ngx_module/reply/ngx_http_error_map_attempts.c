
#include "ngx_http_error_map_attempts.h"


/* a redirect clears the contexts, but not the cleanups of the pool */

typedef struct {
    ngx_http_request_t             *request;
    ngx_uint_t                      attempt;
    ngx_str_t                       code;
} ngx_http_error_map_attempt_t;


static ngx_str_t *ngx_http_error_map_attempt_code(ngx_http_request_t *r,
    ngx_uint_t attempt);
static u_char *ngx_http_error_map_list_code(u_char *p, ngx_str_t *code);
static void ngx_http_error_map_attempt_cleanup(void *data);


void
ngx_http_error_map_want_codes(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf)
{
    ngx_uint_t                  i;
    ngx_http_variable_t        *var;
    ngx_http_core_main_conf_t  *cmcf;

    static ngx_str_t  name = ngx_string("error_map_upstream_codes");

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    var = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {
        if (ngx_http_error_map_equal(&var[i].name, &name)) {
            emcf->codes = 1;
        }
    }
}


void
ngx_http_error_map_keep_code(ngx_http_request_t *r,
    ngx_http_error_map_ctx_t *ctx, ngx_uint_t attempt)
{
    ngx_pool_cleanup_t              *cln;
    ngx_http_error_map_attempt_t    *kept;
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_http_get_module_main_conf(r, ngx_http_error_map_filter_module);

    if (!emcf->codes || ctx->code.len == 0) {
        return;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_error_map_attempt_t));
    if (cln == NULL) {
        return;
    }

    cln->handler = ngx_http_error_map_attempt_cleanup;

    kept = cln->data;

    kept->request = r;
    kept->attempt = attempt;
    kept->code = ctx->code;
}


ngx_int_t
ngx_http_error_map_codes(ngx_http_request_t *r, ngx_str_t *value)
{
    u_char                     *p;
    size_t                      len;
    ngx_str_t                  *code;
    ngx_uint_t                  i, n;
    ngx_http_upstream_state_t  *state;

    ngx_str_set(value, "");

    if (r->upstream_states == NULL || r->upstream_states->nelts == 0) {
        return NGX_OK;
    }

    state = r->upstream_states->elts;
    n = r->upstream_states->nelts;

    for (len = 0, i = 0; i < n; i++) {
        code = ngx_http_error_map_attempt_code(r, i);
        len += (code ? 3 * code->len : 1) + 3;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;

    /* ngx_http_upstream_status_variable() has these separators */

    for (i = 0; i < n; i++) {

        code = ngx_http_error_map_attempt_code(r, i);

        if (code) {
            p = ngx_http_error_map_list_code(p, code);

        } else {
            *p++ = '-';
        }

        if (i + 1 == n) {
            break;
        }

        if (state[i + 1].peer) {
            *p++ = ',';
            *p++ = ' ';
            continue;
        }

        p = ngx_cpymem(p, " : ", 3);

        if (++i + 1 == n) {
            break;
        }
    }

    value->len = p - value->data;

    return NGX_OK;
}


static ngx_str_t *
ngx_http_error_map_attempt_code(ngx_http_request_t *r, ngx_uint_t attempt)
{
    ngx_pool_cleanup_t            *cln;
    ngx_http_error_map_attempt_t  *kept;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_http_error_map_attempt_cleanup) {
            continue;
        }

        kept = cln->data;

        if (kept->request == r && kept->attempt == attempt) {
            return &kept->code;
        }
    }

    return NULL;
}


/* a vendor's code must not look like several codes, or like none */

static u_char *
ngx_http_error_map_list_code(u_char *p, ngx_str_t *code)
{
    size_t  i;

    if (code->len == 1 && code->data[0] == '-') {
        return ngx_cpymem(p, "%2D", 3);
    }

    for (i = 0; i < code->len; i++) {

        if (code->data[i] == ' ') {
            p = ngx_cpymem(p, "%20", 3);

        } else {
            *p++ = code->data[i];
        }
    }

    return p;
}


/* nothing to free; the handler identifies the codes among the cleanups */

static void
ngx_http_error_map_attempt_cleanup(void *data)
{
    return;
}
