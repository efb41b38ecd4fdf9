
/*
 * For bench/lookup only: times look-ups of codes within nginx, as the last step
 * of reading the configuration ("nginx -t").
 *
 *     lookup document $map bucket_size max_size rounds {
 *         code;
 *         ...
 *     }
 *
 * The document is a compiled one, or "-".  $map is a variable of the map
 * directive, where each code maps to itself; the sizes are those of
 * map_hash_bucket_size and map_hash_max_size.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "em_document.h"


/* keys are contiguous, in the order of the look-ups */

#define NGX_HTTP_LOOKUP_KEYS    131072
#define NGX_HTTP_LOOKUP_PASSES  8


typedef struct {
    ngx_str_t                   document;
    ngx_int_t                   index;        /* of the map's variable */
    ngx_int_t                   code_index;   /* of $lookup_code */
    ngx_uint_t                  bucket_size;
    ngx_uint_t                  max_size;
    ngx_uint_t                  rounds;
    ngx_array_t                 codes;        /* of ngx_str_t */
} ngx_http_lookup_main_conf_t;


typedef struct {
    const em_document_t        *compiled;     /* or NULL */
    em_document_t               document;     /* the same with a hash */
    em_entry_t                 *entries;
    ngx_hash_t                  hash;
    ngx_http_map_t              map;
    ngx_http_request_t         *r;
    ngx_http_lookup_main_conf_t  *lmcf;
    size_t                      lookups;      /* by the map's variable */
} ngx_http_lookup_ctx_t;


typedef struct {
    u_char                      len;
    u_char                      data[1];
} ngx_http_lookup_key_t;


/* returns 0 if not found */

typedef uintptr_t (*ngx_http_lookup_pt)(ngx_http_lookup_ctx_t *ctx,
    u_char *code, size_t len);


typedef struct {
    char                       *name;
    ngx_http_lookup_pt          find;
} ngx_http_lookup_method_t;


static uintptr_t ngx_http_lookup_nothing(ngx_http_lookup_ctx_t *ctx,
    u_char *code, size_t len);
static uintptr_t ngx_http_lookup_gperf(ngx_http_lookup_ctx_t *ctx,
    u_char *code, size_t len);
static uintptr_t ngx_http_lookup_hash(ngx_http_lookup_ctx_t *ctx, u_char *code,
    size_t len);
static uintptr_t ngx_http_lookup_ngx_hash(ngx_http_lookup_ctx_t *ctx,
    u_char *code, size_t len);
static uintptr_t ngx_http_lookup_map(ngx_http_lookup_ctx_t *ctx, u_char *code,
    size_t len);
static uintptr_t ngx_http_lookup_variable(ngx_http_lookup_ctx_t *ctx,
    u_char *code, size_t len);

static ngx_int_t ngx_http_lookup_init(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_lookup_make(ngx_cycle_t *cycle,
    ngx_http_lookup_ctx_t *ctx);
static ngx_int_t ngx_http_lookup_request(ngx_cycle_t *cycle,
    ngx_http_lookup_ctx_t *ctx);
static ngx_str_t *ngx_http_lookup_misses(ngx_cycle_t *cycle,
    ngx_http_lookup_ctx_t *ctx);
static ngx_int_t ngx_http_lookup_check(ngx_http_lookup_ctx_t *ctx,
    ngx_http_lookup_method_t *method, ngx_str_t *codes, ngx_uint_t found);
static u_char *ngx_http_lookup_keys(ngx_cycle_t *cycle, ngx_str_t *codes,
    ngx_uint_t n, size_t *stride);
static double ngx_http_lookup_independent(ngx_http_lookup_ctx_t *ctx,
    ngx_http_lookup_pt find, u_char *keys, size_t stride);
static double ngx_http_lookup_dependent(ngx_http_lookup_ctx_t *ctx,
    ngx_http_lookup_pt find, u_char *keys, size_t stride);
static double ngx_http_lookup_now(void);

static ngx_int_t ngx_http_lookup_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_lookup_code(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static void *ngx_http_lookup_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_lookup_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_lookup_row(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);


static ngx_http_lookup_method_t  ngx_http_lookup_methods[] = {
    { "nothing", ngx_http_lookup_nothing },
    { "gperf", ngx_http_lookup_gperf },
    { "hash", ngx_http_lookup_hash },
    { "ngx_hash", ngx_http_lookup_ngx_hash },
    { "map_find", ngx_http_lookup_map },
    { "map", ngx_http_lookup_variable }
};

#define NGX_HTTP_LOOKUP_METHODS                                               \
    (sizeof(ngx_http_lookup_methods) / sizeof(ngx_http_lookup_method_t))


static ngx_str_t  ngx_http_lookup_code_name = ngx_string("lookup_code");


static ngx_command_t  ngx_http_lookup_commands[] = {

    { ngx_string("lookup"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE5,
      ngx_http_lookup_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_lookup_module_ctx = {
    ngx_http_lookup_preconfiguration,      /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_lookup_create_main_conf,      /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_lookup_module = {
    NGX_MODULE_V1,
    &ngx_http_lookup_module_ctx,           /* module context */
    ngx_http_lookup_commands,              /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_lookup_init,                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* the cost of the loop and of the call by a pointer */

static uintptr_t
ngx_http_lookup_nothing(ngx_http_lookup_ctx_t *ctx, u_char *code, size_t len)
{
    return len;
}


static uintptr_t
ngx_http_lookup_gperf(ngx_http_lookup_ctx_t *ctx, u_char *code, size_t len)
{
    return (uintptr_t) em_entry_find(ctx->compiled, (char *) code, len);
}


static uintptr_t
ngx_http_lookup_hash(ngx_http_lookup_ctx_t *ctx, u_char *code, size_t len)
{
    return (uintptr_t) em_entry_find(&ctx->document, (char *) code, len);
}


/* the keys of a hash are in lower case; nginx searches it this way */

static uintptr_t
ngx_http_lookup_ngx_hash(ngx_http_lookup_ctx_t *ctx, u_char *code, size_t len)
{
    u_char      low[EM_CODE_MAX];
    ngx_uint_t  key;

    key = ngx_hash_strlow(low, code, len);

    return (uintptr_t) ngx_hash_find(&ctx->hash, key, low, len);
}


/* a request makes a few look-ups only, and its pool is small */

static ngx_inline void
ngx_http_lookup_reset(ngx_http_lookup_ctx_t *ctx)
{
    if (++ctx->lookups % 64 == 0) {
        ngx_reset_pool(ctx->r->pool);
    }
}


static uintptr_t
ngx_http_lookup_map(ngx_http_lookup_ctx_t *ctx, u_char *code, size_t len)
{
    ngx_str_t  match;

    ngx_http_lookup_reset(ctx);

    match.len = len;
    match.data = code;

    return (uintptr_t) ngx_http_map_find(ctx->r, &ctx->map, &match);
}


/* as the first use of the variable in a request with $lookup_code set */

static uintptr_t
ngx_http_lookup_variable(ngx_http_lookup_ctx_t *ctx, u_char *code, size_t len)
{
    ngx_http_variable_value_t  *v;

    ngx_http_lookup_reset(ctx);

    v = &ctx->r->variables[ctx->lmcf->code_index];
    v->valid = 1;
    v->len = len;
    v->data = code;

    v = &ctx->r->variables[ctx->lmcf->index];
    v->valid = 0;
    v->not_found = 0;

    v = ngx_http_get_indexed_variable(ctx->r, ctx->lmcf->index);

    return (v && v->len) ? (uintptr_t) v : 0;
}


static ngx_int_t
ngx_http_lookup_init(ngx_cycle_t *cycle)
{
    double                     ns;
    size_t                     hit_stride, miss_stride;
    u_char                    *hits, *misses;
    ngx_str_t                 *codes, *others;
    ngx_uint_t                 i, k, m;
    ngx_http_lookup_ctx_t     *ctx;
    ngx_http_lookup_method_t  *method;

    ctx = ngx_pcalloc(cycle->pool, sizeof(ngx_http_lookup_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->lmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                                    ngx_http_lookup_module);

    if (ctx->lmcf == NULL || ctx->lmcf->rounds == 0) {
        return NGX_OK;
    }

    if (ngx_http_lookup_make(cycle, ctx) != NGX_OK
        || ngx_http_lookup_request(cycle, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* nginx found no size that fits the buckets */

    if (ctx->hash.size == ctx->lmcf->max_size) {
        printf("small\n");
        return NGX_OK;
    }

    printf("size %lu\n", (unsigned long) ctx->hash.size);

    codes = ctx->lmcf->codes.elts;
    others = ngx_http_lookup_misses(cycle, ctx);

    if (others == NULL) {
        return NGX_ERROR;
    }

    hits = ngx_http_lookup_keys(cycle, codes, ctx->lmcf->codes.nelts,
                                &hit_stride);
    misses = ngx_http_lookup_keys(cycle, others, ctx->lmcf->codes.nelts,
                                  &miss_stride);

    if (hits == NULL || misses == NULL) {
        return NGX_ERROR;
    }

    for (i = 1; i < NGX_HTTP_LOOKUP_METHODS; i++) {
        method = &ngx_http_lookup_methods[i];

        if (ngx_http_lookup_check(ctx, method, codes, 1) != NGX_OK
            || ngx_http_lookup_check(ctx, method, others, 0) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* the methods run in turn, each time beginning with another one */

    for (k = 0; k < ctx->lmcf->rounds; k++) {
        for (m = 0; m < NGX_HTTP_LOOKUP_METHODS; m++) {

            i = (k + m) % NGX_HTTP_LOOKUP_METHODS;
            method = &ngx_http_lookup_methods[i];

            if (method->find == ngx_http_lookup_gperf
                && ctx->compiled == NULL)
            {
                continue;
            }

            ns = ngx_http_lookup_independent(ctx, method->find, hits,
                                             hit_stride);
            printf("%s hit %f\n", method->name, ns);

            ns = ngx_http_lookup_independent(ctx, method->find, misses,
                                             miss_stride);
            printf("%s miss %f\n", method->name, ns);

            ns = ngx_http_lookup_dependent(ctx, method->find, hits,
                                           hit_stride);
            printf("%s dependent %f\n", method->name, ns);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_lookup_make(ngx_cycle_t *cycle, ngx_http_lookup_ctx_t *ctx)
{
    size_t            n, i;
    uint32_t         *buckets, size;
    ngx_str_t        *code, *document;
    ngx_hash_key_t   *keys;
    ngx_hash_init_t   hash;

    code = ctx->lmcf->codes.elts;
    n = ctx->lmcf->codes.nelts;
    document = &ctx->lmcf->document;

    if (document->len != 1 || document->data[0] != '-') {
        ctx->compiled = em_document_find((char *) document->data,
                                         document->len);

        if (ctx->compiled == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "no document \"%V\"", document);
            return NGX_ERROR;
        }
    }

    /* as in ngx_http_error_map_document.c */

    for (size = 8; size < 2 * (n + 1); size *= 2) { /* void */ }

    ctx->entries = ngx_pcalloc(cycle->pool, n * sizeof(em_entry_t));
    buckets = ngx_palloc(cycle->pool, size * sizeof(uint32_t));
    keys = ngx_pcalloc(cycle->pool, n * sizeof(ngx_hash_key_t));

    if (ctx->entries == NULL || buckets == NULL || keys == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        ctx->entries[i].code = (char *) code[i].data;
        ctx->entries[i].title = "";

        keys[i].key = code[i];
        keys[i].key_hash = ngx_hash_key_lc(code[i].data, code[i].len);
        keys[i].value = &ctx->entries[i];
    }

    ctx->document.entries = ctx->entries;
    ctx->document.nslots = n;
    ctx->document.nexact = n;

    if (em_document_hash(&ctx->document, buckets, size) != NULL) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "duplicate code");
        return NGX_ERROR;
    }

    hash.hash = &ctx->hash;
    hash.key = ngx_hash_key_lc;
    hash.max_size = ctx->lmcf->max_size;
    hash.bucket_size = ngx_align(ctx->lmcf->bucket_size, ngx_cacheline_size);
    hash.name = "lookup_hash";
    hash.pool = cycle->pool;
    hash.temp_pool = NULL;

    if (ngx_hash_init(&hash, keys, n) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->map.hash.hash = ctx->hash;

    return NGX_OK;
}


/* the parts of a request that variables use */

static ngx_int_t
ngx_http_lookup_request(ngx_cycle_t *cycle, ngx_http_lookup_ctx_t *ctx)
{
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_conf_ctx_t        *conf;
    ngx_http_core_main_conf_t  *cmcf;

    conf = (ngx_http_conf_ctx_t *) ngx_get_conf(cycle->conf_ctx,
                                                ngx_http_module);

    cmcf = conf->main_conf[ngx_http_core_module.ctx_index];

    r = ngx_pcalloc(cycle->pool, sizeof(ngx_http_request_t));
    c = ngx_pcalloc(cycle->pool, sizeof(ngx_connection_t));

    if (r == NULL || c == NULL) {
        return NGX_ERROR;
    }

    c->log = cycle->log;

    r->connection = c;
    r->main = r;
    r->main_conf = conf->main_conf;
    r->srv_conf = conf->srv_conf;
    r->loc_conf = conf->loc_conf;

    r->variables = ngx_pcalloc(cycle->pool, cmcf->variables.nelts
                                        * sizeof(ngx_http_variable_value_t));

    /* the size of a request's pool by default */

    r->pool = ngx_create_pool(4096, cycle->log);

    if (r->variables == NULL || r->pool == NULL) {
        return NGX_ERROR;
    }

    ctx->r = r;

    return NGX_OK;
}


/* for each code, one with another last byte that is not a code */

static ngx_str_t *
ngx_http_lookup_misses(ngx_cycle_t *cycle, ngx_http_lookup_ctx_t *ctx)
{
    u_char      ch, *last;
    ngx_str_t  *codes, *others;
    ngx_uint_t  i, n;

    codes = ctx->lmcf->codes.elts;
    n = ctx->lmcf->codes.nelts;

    others = ngx_palloc(cycle->pool, n * sizeof(ngx_str_t));
    if (others == NULL) {
        return NULL;
    }

    for (i = 0; i < n; i++) {
        others[i].len = codes[i].len;
        others[i].data = ngx_pstrdup(cycle->pool, &codes[i]);

        if (others[i].data == NULL) {
            return NULL;
        }

        last = &others[i].data[others[i].len - 1];

        for (ch = '0'; ch <= '9' + 1; ch++) {
            *last = (ch <= '9') ? ch : 'x';

            if (ngx_http_lookup_hash(ctx, others[i].data, others[i].len) == 0)
            {
                break;
            }
        }
    }

    return others;
}


static ngx_int_t
ngx_http_lookup_check(ngx_http_lookup_ctx_t *ctx,
    ngx_http_lookup_method_t *method, ngx_str_t *codes, ngx_uint_t found)
{
    uintptr_t                   got;
    ngx_uint_t                  i, right;
    const em_entry_t           *entry;
    ngx_http_variable_value_t  *v;

    if (method->find == ngx_http_lookup_gperf && ctx->compiled == NULL) {
        return NGX_OK;
    }

    for (i = 0; i < ctx->lmcf->codes.nelts; i++) {

        got = method->find(ctx, codes[i].data, codes[i].len);

        if (!found) {
            right = (got == 0);

        } else if (got == 0) {
            right = 0;

        } else if (method->find == ngx_http_lookup_gperf) {
            entry = (const em_entry_t *) got;
            right = (ngx_strcmp(entry->code, ctx->entries[i].code) == 0);

        } else if (method->find == ngx_http_lookup_variable) {
            v = (ngx_http_variable_value_t *) got;
            right = (v->len == codes[i].len
                     && ngx_memcmp(v->data, codes[i].data, v->len) == 0);

        } else {
            right = (got == (uintptr_t) &ctx->entries[i]);
        }

        if (!right) {
            ngx_log_error(NGX_LOG_EMERG, ctx->r->connection->log, 0,
                          "%s: wrong answer for \"%V\"", method->name,
                          &codes[i]);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* random codes; each code occurs, unless there are very many */

static u_char *
ngx_http_lookup_keys(ngx_cycle_t *cycle, ngx_str_t *codes, ngx_uint_t n,
    size_t *stride)
{
    size_t                  size;
    u_char                 *keys;
    uint32_t                seed;
    ngx_str_t              *code;
    ngx_uint_t              i;
    ngx_http_lookup_key_t  *key;

    for (i = 0, size = 0; i < n; i++) {
        size = ngx_max(size, codes[i].len + 1);
    }

    *stride = ngx_align(size, sizeof(void *));

    /* one more, as a dependent look-up might skip one, as far as gcc knows */

    keys = ngx_pcalloc(cycle->pool, (NGX_HTTP_LOOKUP_KEYS + 1) * *stride);
    if (keys == NULL) {
        return NULL;
    }

    for (i = 0, seed = 1; i < NGX_HTTP_LOOKUP_KEYS; i++) {
        seed = seed * 1664525u + 1013904223u;

        code = &codes[(seed >> 8) % n];
        key = (ngx_http_lookup_key_t *) (keys + i * *stride);

        key->len = (u_char) code->len;
        ngx_memcpy(key->data, code->data, code->len);
    }

    return keys;
}


/* the processor can begin a look-up before the last one is done */

static double
ngx_http_lookup_independent(ngx_http_lookup_ctx_t *ctx, ngx_http_lookup_pt find,
    u_char *keys, size_t stride)
{
    double                  begin;
    u_char                 *p, *end;
    ngx_uint_t              pass;
    volatile uintptr_t      sink;
    ngx_http_lookup_key_t  *key;

    end = keys + NGX_HTTP_LOOKUP_KEYS * stride;

    begin = ngx_http_lookup_now();

    for (pass = 0; pass < NGX_HTTP_LOOKUP_PASSES; pass++) {
        for (p = keys; p < end; p += stride) {
            key = (ngx_http_lookup_key_t *) p;
            sink = find(ctx, key->data, key->len);
        }
    }

    (void) sink;

    return (ngx_http_lookup_now() - begin)
           / (NGX_HTTP_LOOKUP_PASSES * NGX_HTTP_LOOKUP_KEYS);
}


/*
 * The position of the next key depends on the answer, which is never 1, but the
 * processor does not know that.
 */

static double
ngx_http_lookup_dependent(ngx_http_lookup_ctx_t *ctx, ngx_http_lookup_pt find,
    u_char *keys, size_t stride)
{
    double                  begin;
    u_char                 *p, *end;
    uintptr_t               got;
    ngx_uint_t              pass;
    ngx_http_lookup_key_t  *key;

    end = keys + NGX_HTTP_LOOKUP_KEYS * stride;

    begin = ngx_http_lookup_now();

    for (pass = 0; pass < NGX_HTTP_LOOKUP_PASSES; pass++) {
        for (p = keys; p < end; p += stride) {
            key = (ngx_http_lookup_key_t *) p;
            got = find(ctx, key->data, key->len);

            /* without a branch, which would be predicted */

            p += (got == 1);
        }
    }

    return (ngx_http_lookup_now() - begin)
           / (NGX_HTTP_LOOKUP_PASSES * NGX_HTTP_LOOKUP_KEYS);
}


static double
ngx_http_lookup_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec * 1e9 + (double) ts.tv_nsec;
}


static ngx_int_t
ngx_http_lookup_preconfiguration(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var;

    var = ngx_http_add_variable(cf, &ngx_http_lookup_code_name, 0);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_http_lookup_code;

    return NGX_OK;
}


/* never called, as the value is set before it is used */

static ngx_int_t
ngx_http_lookup_code(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    v->not_found = 1;

    return NGX_OK;
}


static void *
ngx_http_lookup_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_lookup_main_conf_t  *lmcf;

    lmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_lookup_main_conf_t));
    if (lmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&lmcf->codes, cf->pool, 1024, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NULL;
    }

    return lmcf;
}


static char *
ngx_http_lookup_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_lookup_main_conf_t  *lmcf = conf;

    char        *rv;
    ngx_int_t    n[3];
    ngx_str_t   *value, name;
    ngx_uint_t   i;
    ngx_conf_t   save;

    if (lmcf->rounds) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 0; i < 3; i++) {
        n[i] = ngx_atoi(value[i + 3].data, value[i + 3].len);

        if (n[i] <= 0) {
            return "has an invalid number";
        }
    }

    lmcf->document = value[1];
    lmcf->bucket_size = n[0];
    lmcf->max_size = n[1];
    lmcf->rounds = n[2];

    name.len = value[2].len - 1;
    name.data = value[2].data + 1;

    lmcf->index = ngx_http_get_variable_index(cf, &name);
    lmcf->code_index = ngx_http_get_variable_index(cf,
                                                &ngx_http_lookup_code_name);

    if (lmcf->index == NGX_ERROR || lmcf->code_index == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    save = *cf;
    cf->handler = ngx_http_lookup_row;
    cf->handler_conf = conf;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv == NGX_CONF_OK && lmcf->codes.nelts == 0) {
        return "has no code";
    }

    return rv;
}


static char *
ngx_http_lookup_row(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_http_lookup_main_conf_t  *lmcf = conf;

    ngx_str_t  *value, *code;

    value = cf->args->elts;

    if (cf->args->nelts != 1 || value[0].len == 0
        || value[0].len > EM_CODE_MAX)
    {
        return "has an invalid code";
    }

    code = ngx_array_push(&lmcf->codes);
    if (code == NULL) {
        return NGX_CONF_ERROR;
    }

    /* arguments end with a NUL */

    *code = value[0];

    return NGX_CONF_OK;
}
