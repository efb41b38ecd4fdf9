
/*
 * The patterns of a document.
 */


#ifndef _NGX_HTTP_ERROR_MAP_PATTERN_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_PATTERN_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/* adds a PCRE2 pattern; text is not copied; NGX_CONF_OK or NGX_CONF_ERROR */
char *ngx_http_error_map_pattern(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text);

/* the limits of all patterns; used by one match at a time */

#if (NGX_PCRE2)
extern pcre2_match_context  *ngx_http_error_map_match_context;
#endif


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_PATTERN_H_INCLUDED_ */
