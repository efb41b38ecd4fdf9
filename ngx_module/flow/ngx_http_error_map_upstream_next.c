
#include "ngx_http_error_map_upstream_next.h"


/*
 * nginx asks the next server for some statuses only, and only if its directive
 * has them.  For a response that is to be passed over, and for no other, it sees
 * one of these statuses, and a copy of its configuration that allows it.  403
 * and 404 are not counted as failures.
 */


static ngx_uint_t ngx_http_error_map_next_type(ngx_uint_t status);
static ngx_uint_t ngx_http_error_map_next_allowed(ngx_http_request_t *r,
    ngx_http_upstream_t *u);


void
ngx_http_error_map_upstream_next(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up, ngx_http_error_map_action_t *action)
{
    ngx_uint_t            type, status;
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (action->next == NGX_HTTP_ERROR_MAP_NEXT_OFF) {

        /* this response is the last one */

        u->peer.tries = ngx_min(u->peer.tries, 1);
        return;
    }

    status = u->headers_in.status_n;
    type = ngx_http_error_map_next_type(status);

    if (action->next == NGX_HTTP_ERROR_MAP_NEXT_STATUS
        && (!action->fails_off || !(u->conf->next_upstream & type)))
    {
        return;
    }

    if (!ngx_http_error_map_next_allowed(r, u)) {
        return;
    }

    if (type == 0
        || (action->fails_off && type != NGX_HTTP_UPSTREAM_FT_HTTP_403))
    {
        status = action->fails_off ? NGX_HTTP_NOT_FOUND
                                   : NGX_HTTP_SERVICE_UNAVAILABLE;
        type = ngx_http_error_map_next_type(status);
    }

    if ((u->conf->next_upstream & type) != type) {

        if (up->next_conf == NULL) {
            up->next_conf = ngx_palloc(r->pool,
                                       sizeof(ngx_http_upstream_conf_t));
            if (up->next_conf == NULL) {
                return;
            }
        }

        *up->next_conf = *u->conf;
        up->next_conf->next_upstream |= type;

        up->conf = u->conf;
        u->conf = up->next_conf;
    }

    if (status != u->headers_in.status_n) {
        up->passed = u->headers_in.status_n;
        u->headers_in.status_n = status;
    }
}


ngx_uint_t
ngx_http_error_map_upstream_may_pass(ngx_http_upstream_t *u)
{
    return ngx_http_error_map_next_type(u->headers_in.status_n) != 0;
}


/* nginx's type of a failure with this status, or 0 */

static ngx_uint_t
ngx_http_error_map_next_type(ngx_uint_t status)
{
    switch (status) {

    case NGX_HTTP_FORBIDDEN:
        return NGX_HTTP_UPSTREAM_FT_HTTP_403;

    case NGX_HTTP_NOT_FOUND:
        return NGX_HTTP_UPSTREAM_FT_HTTP_404;

    case NGX_HTTP_TOO_MANY_REQUESTS:
        return NGX_HTTP_UPSTREAM_FT_HTTP_429;

    case NGX_HTTP_INTERNAL_SERVER_ERROR:
        return NGX_HTTP_UPSTREAM_FT_HTTP_500;

    case NGX_HTTP_BAD_GATEWAY:
        return NGX_HTTP_UPSTREAM_FT_HTTP_502;

    case NGX_HTTP_SERVICE_UNAVAILABLE:
        return NGX_HTTP_UPSTREAM_FT_HTTP_503;

    case NGX_HTTP_GATEWAY_TIME_OUT:
        return NGX_HTTP_UPSTREAM_FT_HTTP_504;

    default:
        return 0;
    }
}


/*
 * The conditions of ngx_http_upstream_test_next(), but for the status: nginx
 * calls it next.  A server that answers before it gets the request is not
 * passed over.
 */

static ngx_uint_t
ngx_http_error_map_next_allowed(ngx_http_request_t *r, ngx_http_upstream_t *u)
{
    ngx_msec_t  timeout;

    if (u->peer.tries <= 1
        || !u->request_sent
        || r->request_body_no_buffering
        || (u->conf->next_upstream & NGX_HTTP_UPSTREAM_FT_OFF))
    {
        return 0;
    }

    if ((r->method & (NGX_HTTP_POST|NGX_HTTP_LOCK|NGX_HTTP_PATCH))
        && !(u->conf->next_upstream & NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT))
    {
        return 0;
    }

    timeout = u->conf->next_upstream_timeout;

    return !timeout || ngx_current_msec - u->peer.start_time < timeout;
}


void
ngx_http_error_map_upstream_passed(ngx_http_request_t *r,
    ngx_http_error_map_upstream_t *up)
{
    ngx_http_upstream_state_t  *state;

    if (up->conf) {
        r->upstream->conf = up->conf;
        up->conf = NULL;
    }

    if (up->passed) {
        state = r->upstream_states->elts;
        state[up->attempt].status = up->passed;
        up->passed = 0;
    }
}
