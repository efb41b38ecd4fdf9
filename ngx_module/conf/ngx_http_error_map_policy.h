
/*
 * The block error_map_policy, compiled to an array indexed by kinds of rows.
 */


#ifndef _NGX_HTTP_ERROR_MAP_POLICY_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_POLICY_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


#pragma GCC visibility push(hidden)


/* the block error_map_policy; a directive's handler */
char *ngx_http_error_map_policy_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* returns value as a status that allows a body, or NGX_ERROR */
ngx_int_t ngx_http_error_map_status(ngx_str_t *value);

/* lists the classes for a message; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_class_names(ngx_conf_t *cf, ngx_str_t *names);

/* returns the policy called name, adds an unknown one; NULL on error */
ngx_http_error_map_policy_t *ngx_http_error_map_policy_get(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_str_t *name);


/* compiles all policies, after all documents; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_error_map_policy_compile(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);

/*
 * Returns the action for a row of the document, or for unknown codes, which may
 * be NULL.
 */
ngx_http_error_map_action_t *ngx_http_error_map_policy_action(
    ngx_http_error_map_policy_t *policy,
    ngx_http_error_map_document_t *document, const em_entry_t *entry);

/* returns the action for a reason of "none", or NULL */
#define ngx_http_error_map_policy_none(policy, reason)                        \
    ((policy)->none[(reason) - NGX_HTTP_ERROR_MAP_REASON_EMPTY])


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_POLICY_H_INCLUDED_ */
