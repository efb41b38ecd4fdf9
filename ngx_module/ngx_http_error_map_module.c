
#include "ngx_http_error_map_answer.h"
#include "ngx_http_error_map_attempts.h"
#include "ngx_http_error_map_document.h"
#include "ngx_http_error_map_fields.h"
#include "ngx_http_error_map_filter.h"
#include "ngx_http_error_map_header.h"
#include "ngx_http_error_map_metrics.h"
#include "ngx_http_error_map_peer.h"
#include "ngx_http_error_map_policy.h"
#include "ngx_http_error_map_new_body.h"
#include "ngx_http_error_map_observe.h"
#include "ngx_http_error_map_proxy_status.h"
#include "ngx_http_error_map_inspect.h"
#include "ngx_http_error_map_response.h"
#include "ngx_http_error_map_template.h"
#include "ngx_http_error_map_total.h"
#include "ngx_http_error_map_util.h"
#include "ngx_http_error_map_variables.h"
#include "ngx_http_error_map_warn.h"
#include "ngx_http_error_map_zone.h"


static char *ngx_http_error_map(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_error_map_set_document(ngx_conf_t *cf,
    ngx_http_error_map_loc_conf_t *emlcf, ngx_str_t *name);
static char *ngx_http_error_map_types(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_error_map_statuses(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_error_map_decode(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_error_map_gunzip(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_error_map_intercept_place(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_error_map_upstream_place(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_error_map_check_size(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_error_map_check_total(ngx_conf_t *cf, void *post,
    void *data);

static ngx_int_t ngx_http_error_map_init_module(ngx_cycle_t *cycle);
static void ngx_http_error_map_exit_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_error_map_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_error_map_body_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_error_map_header_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_error_map_header_init(ngx_conf_t *cf);
static void *ngx_http_error_map_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_error_map_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_error_map_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_error_map_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);


/* nginx declares it in no header */
extern ngx_module_t  ngx_http_copy_filter_module;


static ngx_str_t  ngx_http_error_map_default_types[] = {
    ngx_string("application/json"),
    ngx_string("text/json"),
    ngx_string("application/problem+json"),
    ngx_null_string
};


static ngx_conf_post_t  ngx_http_error_map_intercept_post = {
    ngx_http_error_map_intercept_place
};


static ngx_conf_post_t  ngx_http_error_map_upstream_post = {
    ngx_http_error_map_upstream_place
};


static ngx_conf_post_t  ngx_http_error_map_size_post = {
    ngx_http_error_map_check_size
};


static ngx_conf_num_bounds_t  ngx_http_error_map_events_bounds = {
    ngx_conf_check_num_bounds, 1, 65535
};


static ngx_conf_post_t  ngx_http_error_map_total_post = {
    ngx_http_error_map_check_total
};


static ngx_command_t  ngx_http_error_map_commands[] = {

    { ngx_string("error_map"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_error_map,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("error_map_types"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_error_map_types,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_error_map_loc_conf_t, types_keys),
      NULL },

    { ngx_string("error_map_statuses"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_error_map_statuses,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("error_map_hold_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_error_map_loc_conf_t, hold_size),
      &ngx_http_error_map_size_post },

    { ngx_string("error_map_events"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_error_map_loc_conf_t, events),
      &ngx_http_error_map_events_bounds },

    { ngx_string("error_map_hold_total"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_error_map_main_conf_t, hold_total),
      &ngx_http_error_map_total_post },

    { ngx_string("error_map_hold_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_error_map_loc_conf_t, hold_timeout),
      NULL },

    { ngx_string("error_map_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_error_map_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("error_map_proxy_status"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_error_map_proxy_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("error_map_decode"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_error_map_decode,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    /* its name before there were other codings */

    { ngx_string("error_map_gunzip"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_error_map_gunzip,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("error_map_body"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1234,
      ngx_http_error_map_body,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("error_map_intercept"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_error_map_loc_conf_t, intercept),
      &ngx_http_error_map_intercept_post },

    { ngx_string("error_map_upstream"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_error_map_loc_conf_t, upstream),
      &ngx_http_error_map_upstream_post },

    { ngx_string("error_map_dry_run"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_error_map_loc_conf_t, dry_run),
      NULL },

    { ngx_string("error_map_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_http_error_map_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("error_map_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_error_map_metrics,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("error_map_document"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE12,
      ngx_http_error_map_document_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("error_map_policy"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_error_map_policy_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_error_map_filter_module_ctx = {
    ngx_http_error_map_preconfiguration,   /* preconfiguration */
    ngx_http_error_map_body_init,          /* postconfiguration */

    ngx_http_error_map_create_main_conf,   /* create main configuration */
    ngx_http_error_map_init_main_conf,     /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_error_map_create_loc_conf,    /* create location configuration */
    ngx_http_error_map_merge_loc_conf      /* merge location configuration */
};


ngx_module_t  ngx_http_error_map_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_error_map_filter_module_ctx, /* module context */
    ngx_http_error_map_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_error_map_init_module,        /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_error_map_exit_process,       /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* has another place in the order of nginx's modules, see config */

static ngx_http_module_t  ngx_http_error_map_header_filter_module_ctx = {
    ngx_http_error_map_header_preconfiguration,
                                           /* preconfiguration */
    ngx_http_error_map_header_init,        /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_error_map_header_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_error_map_header_filter_module_ctx, /* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_http_error_map(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_loc_conf_t *emlcf = conf;

    ngx_str_t                       *value, name;
    ngx_http_error_map_main_conf_t  *emcf;

    if (emlcf->enable != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts == 3) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", \"error_map off\" "
                               "has no parameters", &value[2]);
            return NGX_CONF_ERROR;
        }

        emlcf->enable = 0;

        return NGX_CONF_OK;
    }

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);
    emcf->enabled = 1;
    emlcf->enable = 1;
    ngx_http_error_map_place(cf, &emlcf->place);

    ngx_str_set(&name, "");

    if (cf->args->nelts == 3) {

        if (ngx_strncmp(value[2].data, "policy=", 7) != 0
            || value[2].len == 7)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\", it must be "
                               "policy=name", &value[2]);
            return NGX_CONF_ERROR;
        }

        name.data = value[2].data + 7;
        name.len = value[2].len - 7;
    }

    emlcf->policy = ngx_http_error_map_policy_get(cf, emcf, &name);
    if (emlcf->policy == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_error_map_set_document(cf, emlcf, &value[1]);
}


static char *
ngx_http_error_map_set_document(ngx_conf_t *cf,
    ngx_http_error_map_loc_conf_t *emlcf, ngx_str_t *name)
{
    ngx_http_error_map_main_conf_t    *emcf;
    ngx_http_compile_complex_value_t   ccv;

    if (ngx_http_script_variables_count(name)) {

        ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

        ccv.cf = cf;
        ccv.value = name;
        ccv.complex_value = &emlcf->variable;

        return (ngx_http_compile_complex_value(&ccv) == NGX_OK)
               ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);

    emlcf->document = ngx_http_error_map_document_get(cf, emcf, name);

    return emlcf->document ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* nginx accepts any text as a type, even one that no response can have */

static char *
ngx_http_error_map_types(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char      *slash, *last;
    ngx_str_t   *value, type, subtype;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "*") == 0) {
            continue;
        }

        last = value[i].data + value[i].len;
        slash = ngx_strlchr(value[i].data, last, '/');

        if (slash) {
            type.data = value[i].data;
            type.len = slash - type.data;
            subtype.data = slash + 1;
            subtype.len = last - subtype.data;

            if (ngx_http_error_map_header_name(&type)
                && ngx_http_error_map_header_name(&subtype)
                && ngx_strlchr(value[i].data, last, '*') == NULL)
            {
                continue;
            }
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid type \"%V\" in \"error_map_types\", it "
                           "must be like text/xml, or * for all types",
                           &value[i]);
        return NGX_CONF_ERROR;
    }

    return ngx_http_types_slot(cf, cmd, conf);
}


static char *
ngx_http_error_map_statuses(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_loc_conf_t *emlcf = conf;

    u_char      *dash, *last;
    uint32_t    *word, bit;
    ngx_int_t    first, end, status;
    ngx_str_t   *value;
    ngx_uint_t   i, useful;

    if (emlcf->statuses != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    emlcf->statuses = ngx_pcalloc(cf->pool, NGX_HTTP_ERROR_MAP_STATUS_WORDS
                                            * sizeof(uint32_t));
    if (emlcf->statuses == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        last = value[i].data + value[i].len;
        dash = ngx_strlchr(value[i].data, last, '-');

        first = ngx_atoi(value[i].data, (dash ? dash : last) - value[i].data);
        end = dash ? ngx_atoi(dash + 1, last - dash - 1) : first;

        if (first < NGX_HTTP_ERROR_MAP_STATUS_MIN
            || end < first
            || end > NGX_HTTP_ERROR_MAP_STATUS_MAX)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid status \"%V\" in "
                               "\"error_map_statuses\", it must be from %d to "
                               "%d, like 404 or 200-299", &value[i],
                               NGX_HTTP_ERROR_MAP_STATUS_MIN,
                               NGX_HTTP_ERROR_MAP_STATUS_MAX);
            return NGX_CONF_ERROR;
        }

        useful = 0;

        for (status = first; status <= end; status++) {
            bit = ngx_http_error_map_status_bit(status);
            word = &ngx_http_error_map_status_word(emlcf->statuses, status);

            if (*word & bit) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "duplicate status \"%i\" in "
                                   "\"error_map_statuses\"", status);
                return NGX_CONF_ERROR;
            }

            *word |= bit;
            useful |= ngx_http_error_map_has_body(status);
        }

        if (!useful) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" in \"error_map_statuses\" has no effect, "
                               "as such responses have no body", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_error_map_decode(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_loc_conf_t *emlcf = conf;

    ngx_int_t    coding;
    ngx_str_t   *value;
    ngx_uint_t   i, built;

    if (emlcf->decode) {
        return "is duplicate";
    }

    value = cf->args->elts;
    built = ngx_http_error_map_codings();

    emlcf->decode = NGX_CONF_BITMASK_SET;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        coding = ngx_http_error_map_coding(&value[i]);

        if (coding <= NGX_HTTP_ERROR_MAP_IDENTITY) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid coding \"%V\" in \"error_map_decode\", "
                               "it must be gzip, br, zstd, deflate or, alone, "
                               "off", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (!(built & 1 << coding)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "coding \"%V\" in \"error_map_decode\" requires "
                               "%s, which this build does not have", &value[i],
                               coding == NGX_HTTP_ERROR_MAP_BROTLI
                               ? "libbrotlidec" : "libzstd");
            return NGX_CONF_ERROR;
        }

        if (emlcf->decode & 1 << coding) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "duplicate coding \"%V\" in "
                               "\"error_map_decode\"", &value[i]);
        }

        emlcf->decode |= 1 << coding;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_error_map_gunzip(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_loc_conf_t *emlcf = conf;

    ngx_str_t  *value;

    if (emlcf->decode) {
        return "is duplicate";
    }

    value = cf->args->elts;

    emlcf->decode = NGX_CONF_BITMASK_SET;

    if (ngx_strcasecmp(value[1].data, (u_char *) "on") == 0) {
        emlcf->decode |= ngx_http_error_map_codings();

    } else if (ngx_strcasecmp(value[1].data, (u_char *) "off") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"error_map_gunzip\", it "
                           "must be \"on\" or \"off\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_error_map_intercept_place(ngx_conf_t *cf, void *post, void *data)
{
    ngx_http_error_map_loc_conf_t  *emlcf;

    emlcf = (ngx_http_error_map_loc_conf_t *)
                ((u_char *) data
                 - offsetof(ngx_http_error_map_loc_conf_t, intercept));

    ngx_http_error_map_place(cf, &emlcf->intercept_place);

    return NGX_CONF_OK;
}


static char *
ngx_http_error_map_upstream_place(ngx_conf_t *cf, void *post, void *data)
{
    ngx_http_error_map_loc_conf_t  *emlcf;

    emlcf = (ngx_http_error_map_loc_conf_t *)
                ((u_char *) data
                 - offsetof(ngx_http_error_map_loc_conf_t, upstream));

    ngx_http_error_map_place(cf, &emlcf->upstream_place);

    return NGX_CONF_OK;
}


static char *
ngx_http_error_map_check_size(ngx_conf_t *cf, void *post, void *data)
{
    size_t *size = data;

    if (*size == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"error_map_hold_size\" must be at least 1, use "
                           "\"error_map off\" to disable inspection");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_error_map_check_total(ngx_conf_t *cf, void *post, void *data)
{
    size_t *size = data;

    if (*size == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"error_map_hold_total\" must be at least 1, use "
                           "\"error_map_hold_timeout 0\" to hold nothing");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_error_map_preconfiguration(ngx_conf_t *cf)
{
    (void) em_json_kernel(NULL);

    if (ngx_http_error_map_add_variables(cf) != NGX_OK
        || ngx_http_error_map_observe(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_error_map_add_field_variables(cf);
}


static void *
ngx_http_error_map_create_main_conf(ngx_conf_t *cf)
{
    ngx_str_t                        name;
    ngx_http_error_map_policy_t     *policy;
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_error_map_main_conf_t));
    if (emcf == NULL) {
        return NULL;
    }

    emcf->hold_total = NGX_CONF_UNSET_SIZE;

    if (ngx_array_init(&emcf->policies, cf->pool, 4,
                       sizeof(ngx_http_error_map_policy_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&emcf->templates, cf->pool, 4,
                       sizeof(ngx_http_error_map_body_t *))
        != NGX_OK
        || ngx_array_init(&emcf->locations, cf->temp_pool, 16,
                          sizeof(ngx_http_error_map_location_t))
           != NGX_OK
        || ngx_array_init(&emcf->subrequests, cf->temp_pool, 4,
                          sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NULL;
    }

    ngx_str_set(&name, "");

    policy = ngx_http_error_map_policy_get(cf, emcf, &name);
    if (policy == NULL) {
        return NULL;
    }

    policy->defined = 1;

    if (ngx_array_init(&emcf->documents, cf->pool, 8,
                       sizeof(ngx_http_error_map_document_t *))
        != NGX_OK
        || ngx_http_error_map_document_compiled(cf, emcf) != NGX_OK)
    {
        return NULL;
    }

    return emcf;
}


static char *
ngx_http_error_map_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_error_map_main_conf_t *emcf = conf;

    ngx_uint_t                       i;
    ngx_http_error_map_document_t  **documents;

    ngx_conf_init_size_value(emcf->hold_total, 128 * 1024 * 1024);

    emcf->headers = ngx_http_error_map_default_headers(cf);
    if (emcf->headers == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_error_map_document_compile(cf, emcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    documents = emcf->documents.elts;

    for (i = 0; i < emcf->documents.nelts; i++) {
        ngx_http_error_map_want_fields(cf, emcf, documents[i]);
    }

    ngx_http_error_map_want_codes(cf, emcf);

    if (ngx_http_error_map_response_init(cf, emcf) != NGX_OK
        || ngx_http_error_map_policy_compile(cf, emcf) != NGX_OK
        || ngx_http_error_map_zone_layout(cf, emcf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_error_map_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_error_map_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_error_map_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->document = NULL;
     *     conf->variable = { NULL };
     *     conf->policy = NULL;
     *     conf->types = { NULL };
     *     conf->types_keys = NULL;
     *     conf->proxy_status = { 0, NULL };
     *     conf->metrics_file = NULL;
     *     conf->metrics_line = 0;
     */

    conf->enable = NGX_CONF_UNSET;
    conf->statuses = NGX_CONF_UNSET_PTR;
    conf->hold_size = NGX_CONF_UNSET_SIZE;
    conf->hold_timeout = NGX_CONF_UNSET_MSEC;
    conf->events = NGX_CONF_UNSET_UINT;
    conf->headers = NGX_CONF_UNSET_PTR;
    conf->dry_run = NGX_CONF_UNSET;
    conf->body = NGX_CONF_UNSET_PTR;
    conf->intercept = NGX_CONF_UNSET;
    conf->upstream = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_error_map_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_error_map_loc_conf_t *prev = parent;
    ngx_http_error_map_loc_conf_t *conf = child;

    ngx_uint_t                       i;
    ngx_array_t                     *keys;
    ngx_hash_key_t                  *key;
    ngx_http_error_map_main_conf_t  *emcf;

    static u_char  json[] = "application/json";

    if (ngx_http_error_map_metrics_check(cf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    /* a metrics page is not counted itself */

    if (conf->metrics_file && conf->enable == NGX_CONF_UNSET) {
        conf->enable = 0;
    }

    if (conf->enable == NGX_CONF_UNSET) {
        conf->document = prev->document;
        conf->variable = prev->variable;
        conf->policy = prev->policy;
        conf->place = prev->place;
    }

    if (conf->intercept == NGX_CONF_UNSET) {
        conf->intercept_place = prev->intercept_place;
    }

    if (conf->upstream == NGX_CONF_UNSET) {
        conf->upstream_place = prev->upstream_place;
    }

    if (!conf->observed.headers) {
        conf->observed.coding = prev->observed.coding;
        conf->observed.coding_place = prev->observed.coding_place;
    }

    ngx_conf_merge_value(conf->enable, prev->enable, 0);
    ngx_conf_merge_ptr_value(conf->statuses, prev->statuses, NULL);
    ngx_conf_merge_size_value(conf->hold_size, prev->hold_size, 64 * 1024);
    ngx_conf_merge_uint_value(conf->events, prev->events, 1);
    ngx_conf_merge_msec_value(conf->hold_timeout, prev->hold_timeout, 5000);
    ngx_conf_merge_value(conf->dry_run, prev->dry_run, 0);
    ngx_conf_merge_bitmask_value(conf->decode, prev->decode,
                              (NGX_CONF_BITMASK_SET
                               |ngx_http_error_map_codings()));

    ngx_conf_merge_ptr_value(conf->body, prev->body, NULL);
    ngx_conf_merge_value(conf->intercept, prev->intercept, 0);
    ngx_conf_merge_value(conf->upstream, prev->upstream, 0);
    ngx_conf_merge_str_value(conf->proxy_status, prev->proxy_status, "");

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);

    ngx_conf_merge_ptr_value(conf->headers, prev->headers, emcf->headers);

    if (conf->headers) {
        conf->spoofed = ngx_http_error_map_name_bits(conf->headers->elts,
                                                     conf->headers->nelts, 0);
    }

    if (conf->upstream && conf->enable) {
        emcf->upstream = 1;
    }

    if (ngx_http_merge_types(cf, &conf->types_keys, &conf->types,
                             &prev->types_keys, &prev->types,
                             ngx_http_error_map_default_types)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    keys = conf->types_keys ? conf->types_keys : prev->types_keys;

    if (keys == NULL) {
        conf->type_bits = prev->type_bits;
        conf->json_only = prev->json_only;

    } else if (conf->types.size) {

        key = keys->elts;
        conf->json_only = 1;

        for (i = 0; i < keys->nelts; i++) {

            if (ngx_strlcasestrn(key[i].key.data,
                                 key[i].key.data + key[i].key.len,
                                 (u_char *) "json", 3)
                == NULL)
            {
                conf->json_only = 0;
            }

            conf->type_bits |= ngx_http_error_map_type_bit(key[i].key.data,
                                                           key[i].key.len);
        }
    }

    conf->json = (conf->types.size == 0
                  || ngx_hash_find(&conf->types,
                                   ngx_hash_key(json, sizeof(json) - 1),
                                   json, sizeof(json) - 1)
                     != NULL);

    conf->direct = (conf->enable
                    && conf->document
                    && conf->document->direct
                    && conf->json
                    && conf->statuses == NULL
                    && conf->events == 1);

    conf->answers = &ngx_http_error_map_no_answers;
    conf->pool = cf->pool;

    return (ngx_http_error_map_warn_location(cf, emcf, conf) == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_error_map_init_module(ngx_cycle_t *cycle)
{
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_http_cycle_get_module_main_conf(cycle,
                                              ngx_http_error_map_filter_module);

    if (emcf == NULL) {
        return NGX_OK;
    }

    ngx_http_error_map_total_max = emcf->hold_total;

    if (emcf->upstream) {
        ngx_http_error_map_peer_phase(
            ngx_http_cycle_get_module_main_conf(cycle, ngx_http_core_module));
    }

    if (emcf->zone) {
        ngx_http_error_map_zone_commit(emcf->zone);
    }

    if (!ngx_test_config) {
        ngx_http_error_map_document_log(cycle->log, emcf);
    }

    return NGX_OK;
}


/* as nginx does for open sockets */

static void
ngx_http_error_map_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_exiting && ngx_http_error_map_total()) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "error map has %uz bytes of held responses left",
                      ngx_http_error_map_total());
    }
}


/* the filters are installed only if error_map is used */

static ngx_int_t
ngx_http_error_map_body_init(ngx_conf_t *cf)
{
    ngx_module_t                   **module;
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);

    ngx_http_error_map_observe_end();

    if (ngx_http_error_map_template_variables(cf, emcf) != NGX_OK
        || ngx_http_error_map_warn(cf, emcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (module = cf->cycle->modules; *module; module++) {
        if (ngx_strcmp((*module)->name, "ngx_http_slice_filter_module") == 0) {
            emcf->slice = *module;
        }
    }

    if (emcf->upstream
        && ngx_http_error_map_peer_init(cf, emcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return emcf->enabled ? ngx_http_error_map_body_filter_init(cf) : NGX_OK;
}


/*
 * Body filters run in the reverse order of the modules.  Modules that are added
 * or loaded later stand between the body half and the copy filter, and would
 * get a held body before its header.  So the body half moves to its place right
 * before the copy filter, in the list of the cycle.  The loop that calls this
 * has passed both by now.
 */

static ngx_int_t
ngx_http_error_map_header_preconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t      i, n;
    ngx_module_t  **modules;

    modules = cf->cycle->modules;

    for (n = 0; modules[n] != &ngx_http_copy_filter_module; n++) {
        /* void */
    }

    for (i = n; modules[i] != &ngx_http_error_map_filter_module; i--) {
        if (i == 0) {
            return NGX_OK;
        }
    }

    ngx_memmove(&modules[i], &modules[i + 1],
                (n - i - 1) * sizeof(ngx_module_t *));

    modules[n - 1] = &ngx_http_error_map_filter_module;

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_header_init(ngx_conf_t *cf)
{
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);

    return emcf->enabled ? ngx_http_error_map_header_filter_init(cf) : NGX_OK;
}
