
#include "ngx_http_error_map_reason.h"


/* by ngx_http_error_map_reason_e */

ngx_str_t  ngx_http_error_map_reasons[] = {
    ngx_string(""),
    ngx_string("method"),
    ngx_string("status"),
    ngx_string("type"),
    ngx_string("coding"),
    ngx_string("range"),
    ngx_string("upgrade"),
    ngx_string("subrequest"),
    ngx_string("document"),
    ngx_string("empty"),
    ngx_string("malformed"),
    ngx_string("charset"),
    ngx_string("no_code"),
    ngx_string("hold_size"),
    ngx_string("hold_timeout"),
    ngx_string("hold_total"),
    ngx_string("upstream"),
    ngx_string("pattern_cost")
};
