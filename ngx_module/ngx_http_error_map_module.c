
#include "ngx_http_error_map_module.h"


static char *ngx_http_error_map(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_error_map_set_document(ngx_conf_t *cf,
    ngx_http_error_map_loc_conf_t *emlcf, ngx_str_t *name);
static char *ngx_http_error_map_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_error_map_check_size(ngx_conf_t *cf, void *post,
    void *data);
static ngx_int_t ngx_http_error_map_add_header(ngx_conf_t *cf,
    ngx_array_t *headers, ngx_str_t *key, ngx_str_t *value);
static ngx_int_t ngx_http_error_map_add_documents(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf);

static ngx_int_t ngx_http_error_map_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_error_map_body_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_error_map_header_init(ngx_conf_t *cf);
static void *ngx_http_error_map_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_error_map_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_error_map_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_error_map_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);


static ngx_str_t  ngx_http_error_map_default_types[] = {
    ngx_string("application/json"),
    ngx_string("text/json"),
    ngx_string("application/problem+json"),
    ngx_null_string
};


static ngx_str_t  ngx_http_error_map_default_headers[] = {
    ngx_string("X-Error-Source"), ngx_string("$error_map_document"),
    ngx_string("X-Error-Code"), ngx_string("$error_map_code"),
    ngx_string("X-Error-Class"), ngx_string("$error_map_class"),
    ngx_string("X-Upstream-Status"), ngx_string("$error_map_upstream_status"),
    ngx_string("Retry-After"), ngx_string("$error_map_retry_after"),
    ngx_null_string
};


/* headers of nginx's own making, which cannot be set in passing */

static ngx_str_t  ngx_http_error_map_reserved_headers[] = {
    ngx_string("accept-ranges"),
    ngx_string("connection"),
    ngx_string("content-encoding"),
    ngx_string("content-length"),
    ngx_string("content-range"),
    ngx_string("content-type"),
    ngx_string("date"),
    ngx_string("etag"),
    ngx_string("keep-alive"),
    ngx_string("last-modified"),
    ngx_string("location"),
    ngx_string("server"),
    ngx_string("trailer"),
    ngx_string("transfer-encoding"),
    ngx_string("upgrade"),
    ngx_null_string
};


/* headers that mean something when a vendor sends them */

static ngx_str_t  ngx_http_error_map_vendor_headers[] = {
    ngx_string("age"),
    ngx_string("allow"),
    ngx_string("cache-control"),
    ngx_string("content-disposition"),
    ngx_string("content-language"),
    ngx_string("expires"),
    ngx_string("link"),
    ngx_string("pragma"),
    ngx_string("proxy-status"),
    ngx_string("refresh"),
    ngx_string("retry-after"),
    ngx_string("set-cookie"),
    ngx_string("vary"),
    ngx_string("via"),
    ngx_string("warning"),
    ngx_string("www-authenticate"),
    ngx_null_string
};


static ngx_conf_post_t  ngx_http_error_map_size_post = {
    ngx_http_error_map_check_size
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
      ngx_http_types_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_error_map_loc_conf_t, types_keys),
      NULL },

    { ngx_string("error_map_hold_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_error_map_loc_conf_t, hold_size),
      &ngx_http_error_map_size_post },

    { ngx_string("error_map_hold_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_error_map_loc_conf_t, hold_timeout),
      NULL },

    { ngx_string("error_map_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_error_map_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("error_map_dry_run"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_error_map_loc_conf_t, dry_run),
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
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* stands elsewhere in nginx's order of modules, see config */

static ngx_http_module_t  ngx_http_error_map_header_filter_module_ctx = {
    NULL,                                  /* preconfiguration */
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
                               "has none", &value[2]);
            return NGX_CONF_ERROR;
        }

        emlcf->enable = 0;

        return NGX_CONF_OK;
    }

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);
    emcf->enabled = 1;
    emlcf->enable = 1;

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
    ngx_str_t                          names;
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

    emlcf->document = ngx_http_error_map_document_get(emcf, name);

    if (emlcf->document) {
        return NGX_CONF_OK;
    }

    if (ngx_http_error_map_document_names(cf, emcf, &names) == NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown document \"%V\", it must be off or one of: "
                           "%V", name, &names);
    }

    return NGX_CONF_ERROR;
}


ngx_http_error_map_document_t *
ngx_http_error_map_document_get(ngx_http_error_map_main_conf_t *emcf,
    ngx_str_t *name)
{
    ngx_uint_t                      i;
    ngx_http_error_map_document_t  *document;

    document = emcf->documents.elts;

    for (i = 0; i < emcf->documents.nelts; i++) {
        if (ngx_http_error_map_equal(&document[i].name, name)) {
            return &document[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_error_map_document_names(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_str_t *names)
{
    u_char                         *p;
    ngx_uint_t                      i;
    ngx_http_error_map_document_t  *document;

    document = emcf->documents.elts;

    names->len = 0;

    for (i = 0; i < emcf->documents.nelts; i++) {
        names->len += document[i].name.len + (i ? 2 : 0);
    }

    names->data = ngx_pnalloc(cf->pool, names->len);
    if (names->data == NULL) {
        return NGX_ERROR;
    }

    p = names->data;

    for (i = 0; i < emcf->documents.nelts; i++) {
        p = ngx_sprintf(p, "%s%V", i ? ", " : "", &document[i].name);
    }

    return NGX_OK;
}


static char *
ngx_http_error_map_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_loc_conf_t *emlcf = conf;

    u_char      ch;
    ngx_str_t  *value, *reserved;
    ngx_uint_t  i;

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (ngx_strcmp(value[1].data, "off") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "no value for header \"%V\", it must be "
                               "\"error_map_header name value\" or "
                               "\"error_map_header off\"", &value[1]);
            return NGX_CONF_ERROR;
        }

        if (emlcf->headers != NGX_CONF_UNSET_PTR) {
            return "is duplicate";
        }

        emlcf->headers = NULL;

        return NGX_CONF_OK;
    }

    if (emlcf->headers == NULL) {
        return "must not follow \"error_map_header off\"";
    }

    for (i = 0; i < value[1].len; i++) {
        ch = ngx_tolower(value[1].data[i]);

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > '9')
            && ngx_strlchr((u_char *) "!#$%&'*+-.^_`|~",
                           (u_char *) "!#$%&'*+-.^_`|~" + 15, ch)
               == NULL)
        {
            break;
        }
    }

    if (i == 0 || i < value[1].len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid header name \"%V\", it must be made of "
                           "letters, digits and \"-\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    for (reserved = ngx_http_error_map_reserved_headers;
         reserved->len;
         reserved++)
    {
        if (reserved->len == value[1].len
            && ngx_strncasecmp(reserved->data, value[1].data, reserved->len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "header \"%V\" cannot be set by "
                               "error_map_header, nginx makes it itself",
                               &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (emlcf->headers == NGX_CONF_UNSET_PTR) {
        emlcf->headers = ngx_array_create(cf->pool, 4,
                                          sizeof(ngx_http_error_map_header_t));
        if (emlcf->headers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_error_map_add_header(cf, emlcf->headers, &value[1], &value[2])
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_error_map_add_header(ngx_conf_t *cf, ngx_array_t *headers,
    ngx_str_t *key, ngx_str_t *value)
{
    ngx_str_t                         *vendor, name;
    ngx_uint_t                         i;
    ngx_http_error_map_header_t       *h, *first;
    ngx_http_compile_complex_value_t   ccv;

    h = ngx_array_push(headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_http_error_map_header_t));

    h->key = *key;

    h->lowcase_key = ngx_pnalloc(cf->pool, key->len);
    if (h->lowcase_key == NULL) {
        return NGX_ERROR;
    }

    h->hash = ngx_hash_strlow(h->lowcase_key, key->data, key->len);

    for (i = 0, first = headers->elts; i < headers->nelts - 1; i++) {
        if (first[i].hash == h->hash && first[i].key.len == key->len
            && ngx_strncmp(first[i].lowcase_key, h->lowcase_key, key->len)
               == 0)
        {
            h->lowcase_key = first[i].lowcase_key;
        }
    }

    for (vendor = ngx_http_error_map_vendor_headers; vendor->len; vendor++) {
        if (vendor->len == key->len
            && ngx_strncmp(vendor->data, h->lowcase_key, key->len) == 0)
        {
            h->vendor = 1;
        }
    }

    /* the usual value, one variable of this module, needs no script */

    h->variable = NGX_DECLINED;

    if (value->len && value->data[0] == '$') {
        name.data = value->data + 1;
        name.len = value->len - 1;

        h->variable = ngx_http_error_map_variable_number(&name);

        if (h->variable != NGX_DECLINED) {
            return NGX_OK;
        }
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = value;
    ccv.complex_value = &h->value;

    return ngx_http_compile_complex_value(&ccv);
}


static char *
ngx_http_error_map_check_size(ngx_conf_t *cf, void *post, void *data)
{
    size_t *size = data;

    if (*size == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "nothing can be read with a hold size of 0, use "
                           "\"error_map off\" or at least 1");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_error_map_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_error_map_add_variables(cf);
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

    if (ngx_array_init(&emcf->policies, cf->pool, 4,
                       sizeof(ngx_http_error_map_policy_t *))
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

    if (ngx_http_error_map_add_documents(cf, emcf) != NGX_OK) {
        return NULL;
    }

    return emcf;
}


static ngx_int_t
ngx_http_error_map_add_documents(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf)
{
    const char                      *err;
    ngx_uint_t                       i, n;
    const em_document_t             *table;
    ngx_http_error_map_ctx_t        *ctx;
    ngx_http_error_map_document_t   *document;

    for (n = 0; em_documents[n]; n++) { /* void */ }

    if (ngx_array_init(&emcf->documents, cf->pool, n + 1,
                       sizeof(ngx_http_error_map_document_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (n = 0; em_documents[n]; n++) {

        table = em_documents[n];

        document = ngx_array_push(&emcf->documents);
        if (document == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(document, sizeof(ngx_http_error_map_document_t));

        document->name.data = (u_char *) table->name.data;
        document->name.len = table->name.len;
        document->number = n;
        document->table = table;

        for (i = 0; i < table->nsources; i++) {
            err = em_json_pointer_add(&document->pointers,
                                      table->sources[i].text.data,
                                      table->sources[i].text.len);
            if (err) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "source \"%s\" of document \"%V\" %s",
                                   table->sources[i].text.data,
                                   &document->name, err);
                return NGX_ERROR;
            }
        }

        /* the contexts of what is decided at once and changes nothing */

        ctx = ngx_pcalloc(cf->pool, (1 + table->nsuccess)
                                    * sizeof(ngx_http_error_map_ctx_t));
        if (ctx == NULL) {
            return NGX_ERROR;
        }

        ctx->verdict = NGX_HTTP_ERROR_MAP_NONE;
        ctx->document = document;

        document->none = ctx++;
        document->success = ctx;

        for (i = 0; i < table->nsuccess; i++) {
            ctx[i].verdict = NGX_HTTP_ERROR_MAP_SUCCESS;
            ctx[i].document = document;
            ctx[i].code.data = (u_char *) table->success[i].data;
            ctx[i].code.len = table->success[i].len;
        }
    }

    return NGX_OK;
}


static char *
ngx_http_error_map_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_error_map_main_conf_t *emcf = conf;

    ngx_str_t  *h;

    emcf->headers = ngx_array_create(cf->pool, 5,
                                     sizeof(ngx_http_error_map_header_t));
    if (emcf->headers == NULL) {
        return NGX_CONF_ERROR;
    }

    for (h = ngx_http_error_map_default_headers; h->len; h += 2) {
        if (ngx_http_error_map_add_header(cf, emcf->headers, &h[0], &h[1])
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_error_map_policy_compile(cf, emcf) != NGX_OK) {
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
     */

    conf->enable = NGX_CONF_UNSET;
    conf->hold_size = NGX_CONF_UNSET_SIZE;
    conf->hold_timeout = NGX_CONF_UNSET_MSEC;
    conf->headers = NGX_CONF_UNSET_PTR;
    conf->dry_run = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_error_map_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_error_map_loc_conf_t *prev = parent;
    ngx_http_error_map_loc_conf_t *conf = child;

    ngx_http_error_map_main_conf_t  *emcf;

    if (conf->enable == NGX_CONF_UNSET) {
        conf->document = prev->document;
        conf->variable = prev->variable;
        conf->policy = prev->policy;
    }

    ngx_conf_merge_value(conf->enable, prev->enable, 0);
    ngx_conf_merge_size_value(conf->hold_size, prev->hold_size, 64 * 1024);
    ngx_conf_merge_msec_value(conf->hold_timeout, prev->hold_timeout, 5000);
    ngx_conf_merge_value(conf->dry_run, prev->dry_run, 0);

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);

    ngx_conf_merge_ptr_value(conf->headers, prev->headers, emcf->headers);

    if (ngx_http_merge_types(cf, &conf->types_keys, &conf->types,
                             &prev->types_keys, &prev->types,
                             ngx_http_error_map_default_types)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* an edge where nothing is mapped has no filter */

static ngx_int_t
ngx_http_error_map_body_init(ngx_conf_t *cf)
{
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);

    return emcf->enabled ? ngx_http_error_map_body_filter_init(cf) : NGX_OK;
}


static ngx_int_t
ngx_http_error_map_header_init(ngx_conf_t *cf)
{
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);

    return emcf->enabled ? ngx_http_error_map_header_filter_init(cf) : NGX_OK;
}
