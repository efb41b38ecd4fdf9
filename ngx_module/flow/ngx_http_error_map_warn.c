
#include "ngx_http_error_map_warn.h"
#include "ngx_http_error_map_decoder.h"
#include "ngx_http_error_map_observe.h"
#include "ngx_http_error_map_util.h"


/*
 * A false alarm is worse than none: what is not certain is no warning.  A
 * directive that several locations inherit is useful if it is in one of them.
 */


#define NGX_HTTP_ERROR_MAP_RETRIED                                            \
    (NGX_HTTP_UPSTREAM_FT_HTTP_500|NGX_HTTP_UPSTREAM_FT_HTTP_502              \
     |NGX_HTTP_UPSTREAM_FT_HTTP_503|NGX_HTTP_UPSTREAM_FT_HTTP_504             \
     |NGX_HTTP_UPSTREAM_FT_HTTP_403|NGX_HTTP_UPSTREAM_FT_HTTP_404             \
     |NGX_HTTP_UPSTREAM_FT_HTTP_429)


typedef struct ngx_http_error_map_warner_s  ngx_http_error_map_warner_t;

struct ngx_http_error_map_warner_s {
    ngx_conf_t                     *cf;
    ngx_http_error_map_main_conf_t *emcf;
    ngx_http_error_map_location_t  *location;

    ngx_http_error_map_place_t     *place;     /* of the last check */
    ngx_str_t                       text;      /* its warning, or "" */
};


/*
 * Sets place, NULL if there is nothing to check, and text; NGX_OK or
 * NGX_ERROR.
 */
typedef ngx_int_t (*ngx_http_error_map_check_pt)(
    ngx_http_error_map_warner_t *w);


typedef struct {
    ngx_http_error_map_check_pt     check;
    ngx_uint_t                      each;  /* locations do not excuse others */
} ngx_http_error_map_check_t;


typedef struct {
    ngx_uint_t                      check;
    ngx_http_error_map_place_t      place;
    ngx_str_t                       text;  /* "" once a location is right */
} ngx_http_error_map_warning_t;


static ngx_int_t ngx_http_error_map_warn_check(ngx_http_error_map_warner_t *w,
    ngx_uint_t check, ngx_array_t *warnings);
static ngx_int_t ngx_http_error_map_warn_success(
    ngx_http_error_map_warner_t *w);
static ngx_uint_t ngx_http_error_map_finds_success(
    ngx_http_error_map_document_t *document);
static ngx_uint_t ngx_http_error_map_error_path(em_path_t *path);
static ngx_int_t ngx_http_error_map_warn_regex(ngx_http_error_map_warner_t *w);
static ngx_uint_t ngx_http_error_map_json_pattern(ngx_str_t *pattern);
static ngx_int_t ngx_http_error_map_warn_upstream(
    ngx_http_error_map_warner_t *w);
static ngx_uint_t ngx_http_error_map_in_subrequest(
    ngx_http_error_map_warner_t *w);
static ngx_int_t ngx_http_error_map_warn_intercept(
    ngx_http_error_map_warner_t *w);
static ngx_int_t ngx_http_error_map_warn_intercept_errors(
    ngx_http_error_map_warner_t *w);
static ngx_int_t ngx_http_error_map_warn_next(ngx_http_error_map_warner_t *w);
static ngx_int_t ngx_http_error_map_warn_coding(ngx_http_error_map_warner_t *w);
static ngx_int_t ngx_http_error_map_warn_asked(ngx_http_error_map_warner_t *w,
    ngx_str_t *value);
static ngx_int_t ngx_http_error_map_warn_text(ngx_http_error_map_warner_t *w,
    const char *fmt, ...);


static ngx_http_error_map_check_t  ngx_http_error_map_checks[] = {
    { ngx_http_error_map_warn_success, 1 },
    { ngx_http_error_map_warn_regex, 0 },
    { ngx_http_error_map_warn_upstream, 0 },
    { ngx_http_error_map_warn_intercept, 0 },
    { ngx_http_error_map_warn_intercept_errors, 1 },
    { ngx_http_error_map_warn_next, 0 },
    { ngx_http_error_map_warn_coding, 1 },
    { NULL, 0 }
};


/* modules that can send subrequests at run time */

static char  *ngx_http_error_map_scripts[] = {
    "ngx_http_lua_module",
    "ngx_http_js_module",
    "ngx_http_perl_module",
    "ngx_http_echo_module",
    NULL
};


ngx_int_t
ngx_http_error_map_warn_location(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_http_error_map_loc_conf_t *conf)
{
    ngx_http_conf_ctx_t            *ctx;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_error_map_location_t  *location;

    ctx = cf->ctx;
    clcf = ctx->loc_conf[ngx_http_core_module.ctx_index];

    /* not for a server, "if" and limit_except */

    if (!conf->enable || clcf->name.len == 0 || clcf->noname) {
        return NGX_OK;
    }

    location = ngx_array_push(&emcf->locations);
    if (location == NULL) {
        return NGX_ERROR;
    }

    location->conf = conf;
    location->clcf = clcf;
    location->loc_conf = ctx->loc_conf;

    return NGX_OK;
}


ngx_int_t
ngx_http_error_map_warn(ngx_conf_t *cf, ngx_http_error_map_main_conf_t *emcf)
{
    ngx_uint_t                      i, n;
    ngx_array_t                     warnings;
    ngx_http_error_map_warner_t     w;
    ngx_http_error_map_warning_t   *warning;
    ngx_http_error_map_location_t  *location;

    if (ngx_array_init(&warnings, cf->temp_pool, 8,
                       sizeof(ngx_http_error_map_warning_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    w.cf = cf;
    w.emcf = emcf;

    location = emcf->locations.elts;

    for (i = 0; i < emcf->locations.nelts; i++) {

        w.location = &location[i];

        location[i].upstream = ngx_http_error_map_observed_upstream(
                                     location[i].conf, location[i].loc_conf);

        for (n = 0; ngx_http_error_map_checks[n].check; n++) {
            if (ngx_http_error_map_warn_check(&w, n, &warnings) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    warning = warnings.elts;

    for (i = 0; i < warnings.nelts; i++) {
        if (warning[i].text.len) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0, "%V in %s:%ui",
                          &warning[i].text, warning[i].place.file,
                          warning[i].place.line);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_warn_check(ngx_http_error_map_warner_t *w, ngx_uint_t check,
    ngx_array_t *warnings)
{
    ngx_uint_t                     i;
    ngx_http_error_map_warning_t  *warning;

    w->place = NULL;
    ngx_str_null(&w->text);

    if (ngx_http_error_map_checks[check].check(w) != NGX_OK) {
        return NGX_ERROR;
    }

    if (w->place == NULL
        || (w->text.len == 0 && ngx_http_error_map_checks[check].each))
    {
        return NGX_OK;
    }

    warning = warnings->elts;

    for (i = 0; i < warnings->nelts; i++) {

        if (warning[i].check == check
            && warning[i].place.line == w->place->line
            && ngx_strcmp(warning[i].place.file, w->place->file) == 0)
        {
            if (w->text.len == 0) {
                warning[i].text.len = 0;
            }

            return NGX_OK;
        }
    }

    warning = ngx_array_push(warnings);
    if (warning == NULL) {
        return NGX_ERROR;
    }

    warning->check = check;
    warning->place = *w->place;
    warning->text = w->text;

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_warn_success(ngx_http_error_map_warner_t *w)
{
    ngx_http_error_map_policy_t    *policy;
    ngx_http_error_map_document_t  *document;

    policy = w->location->conf->policy;
    document = w->location->conf->document;

    if (document == NULL
        || policy->unknown == NULL || policy->unknown->status == 0
        || ngx_http_error_map_finds_success(document))
    {
        return NGX_OK;
    }

    w->place = &w->location->conf->place;

    return ngx_http_error_map_warn_text(w, "document \"%V\" has no success, so "
                                       "that \"unknown\" of error_map_policy "
                                       "\"%V\" applies to good responses with "
                                       "a code, too, add a line \"success\" to "
                                       "the document",
                                       &document->name, &policy->name);
}


/*
 * Whether the document tells good responses apart: by a success, or as each of
 * its sources selects errors.
 */

static ngx_uint_t
ngx_http_error_map_finds_success(ngx_http_error_map_document_t *document)
{
    size_t                i;
    em_plan_t            *plan;
    em_plan_source_t     *source;
    const em_document_t  *table;

    table = document->table;
    plan = document->plan;

    if (plan == NULL || plan->nmarkers || table->nsuccess || table->unlisted) {
        return 1;
    }

    for (i = 0; i < table->ngroups; i++) {
        if (table->groups[i].entry == NULL) {
            return 1;
        }
    }

    for (i = 0; i < plan->npaths; i++) {

        if (plan->paths[i].role != EM_PLAN_SOURCE) {
            continue;
        }

        source = &plan->sources[plan->paths[i].owner];

        if (source->condition == 0 && source->pattern == NULL
            && source->word.len == 0
            && !ngx_http_error_map_error_path(&plan->paths[i].path))
        {
            return 0;
        }
    }

    return 1;
}


/* whether a PATH leads into what only errors have, such as /error/code */

static ngx_uint_t
ngx_http_error_map_error_path(em_path_t *path)
{
    char                *name;
    ngx_uint_t           i, n;
    em_path_selector_t  *selector;

    static char  *words[] = { "err", "fault", "exception", "fail", NULL };

    for (i = 0; i < path->nselectors; i++) {

        selector = &path->selectors[i];

        if (selector->kind == EM_PATH_FILTER) {
            return 1;
        }

        if (i + 1 == path->nselectors
            || (selector->kind != EM_PATH_TOKEN
                && selector->kind != EM_PATH_NAME))
        {
            continue;
        }

        name = path->text + selector->name;

        for (n = 0; words[n]; n++) {
            if (ngx_strlcasestrn((u_char *) name,
                                 (u_char *) name + selector->len,
                                 (u_char *) words[n],
                                 ngx_strlen(words[n]) - 1))
            {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_error_map_warn_regex(ngx_http_error_map_warner_t *w)
{
    ngx_uint_t                      i;
    ngx_http_error_map_pattern_t   *pattern;
    ngx_http_error_map_document_t  *document;

    document = w->location->conf->document;

    if (document == NULL) {
        return NGX_OK;
    }

    pattern = document->patterns.elts;

    for (i = 0; i < document->patterns.nelts; i++) {

        if (ngx_http_error_map_json_pattern(&pattern[i].text)) {
            continue;
        }

        w->place = &w->location->conf->place;

        if (!w->location->conf->json_only) {
            return NGX_OK;
        }

        return ngx_http_error_map_warn_text(w, "\"source regex %V\" of "
                                       "document \"%V\" is searched in "
                                       "responses of JSON types only, add the "
                                       "type of the text to "
                                       "\"error_map_types\"",
                                       &pattern[i].text, &document->name);
    }

    return NGX_OK;
}


/* a pattern with quotes may be for JSON, one with a tag is not */

static ngx_uint_t
ngx_http_error_map_json_pattern(ngx_str_t *pattern)
{
    u_char      *p;
    size_t       i;
    ngx_uint_t   quote;

    quote = 0;
    p = pattern->data;

    for (i = 0; i < pattern->len; i++) {

        if (p[i] == '"') {
            quote = 1;
        }

        /* neither "(?<", "(?P<" nor "\k<" */

        if (p[i] == '<'
            && (i == 0
                || (p[i - 1] != '?' && p[i - 1] != 'P'
                    && (i == 1 || p[i - 2] != '\\'))))
        {
            return 0;
        }
    }

    return quote;
}


static ngx_int_t
ngx_http_error_map_warn_upstream(ngx_http_error_map_warner_t *w)
{
    ngx_uint_t                      i;
    ngx_http_variable_t            *var;
    ngx_http_upstream_conf_t       *u;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_error_map_loc_conf_t  *conf;

    conf = w->location->conf;
    u = w->location->upstream;

    if (!conf->upstream || (u == NULL && w->location->clcf->handler == NULL)) {
        return NGX_OK;
    }

    w->place = &conf->upstream_place;

    if (u == NULL || conf->intercept || u->intercept_errors
        || (u->next_upstream & NGX_HTTP_ERROR_MAP_RETRIED)
        || (conf->policy->next_upstream
            && !(u->next_upstream & NGX_HTTP_UPSTREAM_FT_OFF))
#if (NGX_HTTP_CACHE)
        || u->cache
#endif
        || u->store
        || w->emcf->codes
        || ngx_http_error_map_in_subrequest(w))
    {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(w->cf, ngx_http_core_module);

    var = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {
        if (var[i].name.len == 15
            && ngx_strncmp(var[i].name.data, "upstream_status", 15) == 0)
        {
            return NGX_OK;
        }
    }

    return ngx_http_error_map_warn_text(w, "\"error_map_upstream\" has no "
                                       "effect in location \"%V\", which has "
                                       "no %V_next_upstream of a status, no "
                                       "%V_cache and no %V_intercept_errors",
                                       &w->location->clcf->name, &u->module,
                                       &u->module, &u->module);
}


/* the layer decides subrequests that the filter does not see */

static ngx_uint_t
ngx_http_error_map_in_subrequest(ngx_http_error_map_warner_t *w)
{
    ngx_str_t                 *uri, *name;
    ngx_uint_t                 i, n;
    ngx_module_t             **modules;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = w->location->clcf;
    name = &clcf->name;

    if (w->emcf->ssi || clcf->internal || clcf->named) {
        return 1;
    }

    modules = w->cf->cycle->modules;

    for (i = 0; modules[i]; i++) {
        for (n = 0; ngx_http_error_map_scripts[n]; n++) {
            if (ngx_strcmp(modules[i]->name, ngx_http_error_map_scripts[n])
                == 0)
            {
                return 1;
            }
        }
    }

    uri = w->emcf->subrequests.elts;

    for (i = 0; i < w->emcf->subrequests.nelts; i++) {

#if (NGX_PCRE)
        if (clcf->regex) {
            return 1;
        }
#endif

        if (uri[i].len >= name->len
            && ngx_strncmp(uri[i].data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_error_map_warn_intercept(ngx_http_error_map_warner_t *w)
{
    if (!w->location->conf->intercept || w->location->clcf->handler == NULL) {
        return NGX_OK;
    }

    w->place = &w->location->conf->intercept_place;

    if (w->location->clcf->error_pages) {
        return NGX_OK;
    }

    return ngx_http_error_map_warn_text(w, "\"error_map_intercept\" has no "
                                       "effect in location \"%V\", which has "
                                       "no \"error_page\"",
                                       &w->location->clcf->name);
}


static ngx_int_t
ngx_http_error_map_warn_intercept_errors(ngx_http_error_map_warner_t *w)
{
    ngx_http_error_map_loc_conf_t  *conf;

    conf = w->location->conf;

    if (w->location->upstream == NULL
        || !w->location->upstream->intercept_errors
        || w->location->clcf->error_pages == NULL
        || conf->upstream || conf->intercept)
    {
        return NGX_OK;
    }

    w->place = &conf->place;

    return ngx_http_error_map_warn_text(w, "\"%V_intercept_errors\" in location "
                                       "\"%V\" does not apply to errors that "
                                       "\"error_map\" finds, use "
                                       "\"error_map_intercept on\" or "
                                       "\"error_map_upstream on\"",
                                       &w->location->upstream->module,
                                       &w->location->clcf->name);
}


/* a row of a policy that several locations may have */

static ngx_int_t
ngx_http_error_map_warn_next(ngx_http_error_map_warner_t *w)
{
    ngx_http_error_map_loc_conf_t  *conf;

    conf = w->location->conf;

    if (!conf->policy->next_upstream || w->location->upstream == NULL) {
        return NGX_OK;
    }

    w->place = &conf->policy->next_place;

    /* without a retry, the row says what is to be in a dry run */

    if (conf->upstream || conf->dry_run) {
        return NGX_OK;
    }

    return ngx_http_error_map_warn_text(w, "\"next_upstream\" in policy \"%V\" "
                                       "has no effect in location \"%V\", use "
                                       "\"error_map_upstream on\"",
                                       &conf->policy->name,
                                       &w->location->clcf->name);
}


static ngx_int_t
ngx_http_error_map_warn_coding(ngx_http_error_map_warner_t *w)
{
    ngx_str_t                      *value;
    ngx_uint_t                      built;
    ngx_http_error_map_observed_t  *observed;

    static ngx_str_t  client = ngx_string("$http_accept_encoding");

    observed = &w->location->conf->observed;
    value = &observed->coding;

    if (w->location->upstream == NULL
        || ngx_strcmp(observed->pass->name, "ngx_http_proxy_module") != 0)
    {
        return NGX_OK;
    }

    if (value->data && !ngx_http_error_map_equal(value, &client)) {
        return ngx_http_error_map_warn_asked(w, value);
    }

    built = ngx_http_error_map_codings();

    if ((value->data == NULL && !w->location->upstream->pass_request_headers)
        || ((built & 1 << NGX_HTTP_ERROR_MAP_BROTLI)
            && (built & 1 << NGX_HTTP_ERROR_MAP_ZSTD)))
    {
        return NGX_OK;
    }

    w->place = value->data ? &observed->coding_place : &w->location->conf->place;

    return ngx_http_error_map_warn_text(w, "location \"%V\" passes the client's "
                                       "Accept-Encoding, but responses in %s "
                                       "are not inspected by this build, use "
                                       "\"proxy_set_header Accept-Encoding "
                                       "gzip\"",
                                       &w->location->clcf->name,
                                       (built & 1 << NGX_HTTP_ERROR_MAP_BROTLI)
                                       ? "zstd"
                                       : (built & 1 << NGX_HTTP_ERROR_MAP_ZSTD)
                                       ? "br" : "br and zstd");
}


/* "gzip, br;q=0.5, compress;q=0" */

static ngx_int_t
ngx_http_error_map_warn_asked(ngx_http_error_map_warner_t *w, ngx_str_t *value)
{
    u_char     *p, *last, *end, *q;
    ngx_int_t   coding;
    ngx_str_t   name;

    p = value->data;
    last = p + value->len;

    if (ngx_strlchr(p, last, '$')) {
        return NGX_OK;
    }

    for ( /* void */ ; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        while (p < end && (*p == ' ' || *p == '\t')) {
            p++;
        }

        for (name.data = p;
             p < end && *p != ';' && *p != ' ' && *p != '\t';
             p++)
        {
            /* void */
        }

        name.len = p - name.data;

        /* "q=0" and "q=0.000" ask not to send it */

        q = ngx_strlcasestrn(p, end, (u_char *) "q=", 1);

        if (q) {
            for (q += 2; q < end && (*q == '0' || *q == '.'); q++) {
                /* void */
            }

            if (q == end || *q < '0' || *q > '9') {
                continue;
            }
        }

        if (name.len == 0 || (name.len == 1 && name.data[0] == '*')) {
            continue;
        }

        coding = ngx_http_error_map_coding(&name);

        if (coding >= NGX_HTTP_ERROR_MAP_IDENTITY
            && (coding == NGX_HTTP_ERROR_MAP_IDENTITY
                || (ngx_http_error_map_codings() & 1 << coding)))
        {
            continue;
        }

        w->place = &w->location->conf->observed.coding_place;

        return ngx_http_error_map_warn_text(w, "\"proxy_set_header "
                                       "Accept-Encoding\" asks for \"%V\", but "
                                       "such responses are not inspected by "
                                       "\"error_map\" in location \"%V\"",
                                       &name, &w->location->clcf->name);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_error_map_warn_text(ngx_http_error_map_warner_t *w, const char *fmt,
    ...)
{
    u_char   *last;
    va_list   args;

    w->text.data = ngx_pnalloc(w->cf->temp_pool, NGX_MAX_CONF_ERRSTR);
    if (w->text.data == NULL) {
        return NGX_ERROR;
    }

    va_start(args, fmt);
    last = ngx_vslprintf(w->text.data, w->text.data + NGX_MAX_CONF_ERRSTR, fmt,
                         args);
    va_end(args);

    w->text.len = last - w->text.data;

    return NGX_OK;
}
