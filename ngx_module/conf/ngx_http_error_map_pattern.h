
/*
 * The patterns of a document.
 */


#ifndef _NGX_HTTP_ERROR_MAP_PATTERN_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_PATTERN_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/*
 * All compile a PCRE2 pattern, whose text is not copied, or log an error.  The
 * group of the code is that named "code", or the first.
 */

/*
 * Adds a source, whose code is word unless that is empty; a pattern with a
 * word needs no group.  NGX_CONF_OK or NGX_CONF_ERROR.
 */
char *ngx_http_error_map_pattern(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text, ngx_str_t *word);

/* a pattern for a text that comes in pieces; NGX_CONF_OK or NGX_CONF_ERROR */
char *ngx_http_error_map_pattern_streamed(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text,
    ngx_http_error_map_pattern_t *pattern);

/* a pattern for a value; without a group, group is 0.  NULL on error */
ngx_http_error_map_pattern_t *ngx_http_error_map_pattern_value(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text);

/* the same for a pattern of a row, for ngx_http_error_map_pattern_match() */
char *ngx_http_error_map_pattern_code(ngx_conf_t *cf,
    ngx_http_error_map_document_t *document, ngx_str_t *text,
    const void **pattern);

/* an em_group_match_pt; data is a log */
int ngx_http_error_map_pattern_match(void *data, const void *pattern,
    const char *code, size_t len);


#if (NGX_PCRE2)

/*
 * The cost of a search: steps from one item of a pattern to the next and the
 * bytes they pass.
 */

typedef struct {
    uint64_t                        steps;     /* taken so far */
    uint64_t                        limit;
    size_t                          position;  /* of the last step */
    uint32_t                        references;  /* highest back reference */
} ngx_http_error_map_cost_t;


/* the limits of all patterns; used by one match at a time */
extern pcre2_match_context  *ngx_http_error_map_match_context;

/*
 * pcre2_match() within the cost; any error but PCRE2_ERROR_NOMATCH and
 * PCRE2_ERROR_PARTIAL is a limit.
 */
int ngx_http_error_map_pattern_run(const ngx_http_error_map_pattern_t *pattern,
    ngx_http_error_map_cost_t *cost, u_char *data, size_t len, size_t offset,
    uint32_t options, pcre2_match_data *match);

#endif


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_PATTERN_H_INCLUDED_ */
