
#include "ngx_http_error_map_policy.h"
#include "ngx_http_error_map_reason.h"
#include "ngx_http_error_map_util.h"


static char *ngx_http_error_map_policy_row(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_error_map_policy_base(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy);
static char *ngx_http_error_map_policy_class(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy);
static char *ngx_http_error_map_policy_status(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy);
static char *ngx_http_error_map_policy_code(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy);
static char *ngx_http_error_map_policy_unknown(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy);
static char *ngx_http_error_map_policy_none_row(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy);
static char *ngx_http_error_map_policy_retry_max(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy);
static char *ngx_http_error_map_policy_include(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy);
static char *ngx_http_error_map_policy_parse(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy, ngx_uint_t n,
    ngx_http_error_map_action_t *action);
static char *ngx_http_error_map_policy_parameter(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy, ngx_str_t *value, ngx_str_t *matcher,
    ngx_http_error_map_action_t *action);


typedef struct {
    ngx_str_t                     name;
    char                       *(*handler)(ngx_conf_t *cf,
                                           ngx_http_error_map_policy_t *policy);
    ngx_uint_t                    min;
    ngx_uint_t                    max;
    char                         *syntax;
} ngx_http_error_map_policy_row_t;


static ngx_http_error_map_policy_row_t  ngx_http_error_map_policy_rows[] = {

    { ngx_string("base"), ngx_http_error_map_policy_base, 2, 2,
      "base document | class | keep;" },

    { ngx_string("class"), ngx_http_error_map_policy_class, 3, 6,
      "class NAME status | keep [retry_after=time] "
      "[next_upstream[=off]] [fails=off];" },

    { ngx_string("status"), ngx_http_error_map_policy_status, 3, 6,
      "status document_status status | keep [retry_after=time] "
      "[next_upstream[=off]] [fails=off];" },

    { ngx_string("code"), ngx_http_error_map_policy_code, 3, 6,
      "code document/code status | keep [retry_after=time] "
      "[next_upstream[=off]] [fails=off];" },

    { ngx_string("unknown"), ngx_http_error_map_policy_unknown, 2, 5,
      "unknown status | keep [retry_after=time] [next_upstream[=off]] "
      "[fails=off];" },

    { ngx_string("none"), ngx_http_error_map_policy_none_row, 2, 9,
      "none [reason ...] status | keep [retry_after=time] "
      "[next_upstream[=off]] [fails=off];" },

    { ngx_string("retry_after_max"), ngx_http_error_map_policy_retry_max, 2, 2,
      "retry_after_max time;" },

    { ngx_string("include"), ngx_http_error_map_policy_include, 2, 2,
      "include file;" },

    { ngx_null_string, NULL, 0, 0, NULL }
};


/* by ngx_http_error_map_base_e */

static ngx_str_t  ngx_http_error_map_bases[] = {
    ngx_string("document"),
    ngx_string("class"),
    ngx_string("keep"),
    ngx_null_string
};


/* of "none" without reasons; text in another charset may have a code */

#define ngx_http_error_map_none_other(i)                                      \
    ((i) + NGX_HTTP_ERROR_MAP_REASON_EMPTY                                    \
     != NGX_HTTP_ERROR_MAP_REASON_CHARSET)


char *
ngx_http_error_map_policy_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_main_conf_t *emcf = conf;

    char                         *rv;
    ngx_str_t                    *value;
    ngx_uint_t                    i;
    ngx_conf_t                    save;
    ngx_http_error_map_policy_t  *policy;

    value = cf->args->elts;

    if (value[1].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid error_map_policy name \"\", it must not "
                           "be empty");
        return NGX_CONF_ERROR;
    }

    policy = ngx_http_error_map_policy_get(cf, emcf, &value[1]);
    if (policy == NULL) {
        return NGX_CONF_ERROR;
    }

    if (policy->defined) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate error_map_policy \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    policy->defined = 1;

    save = *cf;
    cf->handler = ngx_http_error_map_policy_row;
    cf->handler_conf = (void *) policy;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    for (i = 0; i < NGX_HTTP_ERROR_MAP_NONE_REASONS; i++) {
        if (policy->none[i] == NULL && ngx_http_error_map_none_other(i)) {
            policy->none[i] = policy->none_others;
        }
    }

    return rv;
}


ngx_http_error_map_policy_t *
ngx_http_error_map_policy_get(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf, ngx_str_t *name)
{
    ngx_uint_t                     i;
    ngx_http_error_map_policy_t  **policies, *policy;

    policies = emcf->policies.elts;

    for (i = 0; i < emcf->policies.nelts; i++) {
        if (ngx_http_error_map_equal(&policies[i]->name, name)) {
            return policies[i];
        }
    }

    policy = ngx_pcalloc(cf->pool, sizeof(ngx_http_error_map_policy_t));
    if (policy == NULL) {
        return NULL;
    }

    policy->name = *name;
    policy->retry_after_max = NGX_HTTP_ERROR_MAP_NO_RETRY;

    if (cf->conf_file) {
        policy->file = cf->conf_file->file.name.data;
        policy->line = cf->conf_file->line;
    }

    if (ngx_array_init(&policy->statuses, cf->pool, 4,
                       sizeof(ngx_http_error_map_status_row_t))
        != NGX_OK
        || ngx_array_init(&policy->codes, cf->temp_pool, 4,
                          sizeof(ngx_http_error_map_code_row_t))
           != NGX_OK)
    {
        return NULL;
    }

    policies = ngx_array_push(&emcf->policies);
    if (policies == NULL) {
        return NULL;
    }

    *policies = policy;

    return policy;
}


static char *
ngx_http_error_map_policy_row(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_policy_t *policy = conf;

    ngx_str_t                        *value;
    ngx_http_error_map_policy_row_t  *row;

    value = cf->args->elts;

    for (row = ngx_http_error_map_policy_rows; row->name.len; row++) {

        if (!ngx_http_error_map_equal(&row->name, &value[0])) {
            continue;
        }

        if (cf->args->nelts < row->min || cf->args->nelts > row->max) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid number of arguments in row \"%V\" of "
                               "error_map_policy \"%V\", it must be \"%s\"",
                               &value[0], &policy->name, row->syntax);
            return NGX_CONF_ERROR;
        }

        return row->handler(cf, policy);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown row \"%V\" in error_map_policy \"%V\", it must "
                       "be base, class, status, code, unknown, none, "
                       "retry_after_max or include",
                       &value[0], &policy->name);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_error_map_policy_base(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    if (policy->base_set) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate row \"base\" in error_map_policy \"%V\"",
                           &policy->name);
        return NGX_CONF_ERROR;
    }

    for (i = 0; ngx_http_error_map_bases[i].len; i++) {
        if (ngx_http_error_map_equal(&ngx_http_error_map_bases[i], &value[1]))
        {
            policy->base = i;
            policy->base_set = 1;

            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid base \"%V\" in error_map_policy \"%V\", it "
                       "must be document, class or keep",
                       &value[1], &policy->name);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_error_map_policy_class(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy)
{
    int                           class;
    ngx_str_t                    *value, names;
    ngx_http_error_map_action_t  *action;

    value = cf->args->elts;

    class = em_class_find((char *) value[1].data, value[1].len);

    if (class < 0) {
        if (ngx_http_error_map_class_names(cf, &names) == NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown class \"%V\" in error_map_policy "
                               "\"%V\", it must be one of: %V",
                               &value[1], &policy->name, &names);
        }

        return NGX_CONF_ERROR;
    }

    if (policy->classes[class]) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate row \"class %V\" in error_map_policy "
                           "\"%V\"", &value[1], &policy->name);
        return NGX_CONF_ERROR;
    }

    action = ngx_palloc(cf->pool, sizeof(ngx_http_error_map_action_t));
    if (action == NULL) {
        return NGX_CONF_ERROR;
    }

    policy->classes[class] = action;

    return ngx_http_error_map_policy_parse(cf, policy, 2, action);
}


static char *
ngx_http_error_map_policy_status(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy)
{
    ngx_int_t                         status;
    ngx_str_t                        *value;
    ngx_uint_t                        i;
    ngx_http_error_map_status_row_t  *row;

    value = cf->args->elts;

    status = ngx_atoi(value[1].data, value[1].len);

    if (status < 200 || status > 599) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid document status \"%V\" in error_map_policy "
                           "\"%V\", it must be a number from 200 to 599",
                           &value[1], &policy->name);
        return NGX_CONF_ERROR;
    }

    row = policy->statuses.elts;

    for (i = 0; i < policy->statuses.nelts; i++) {
        if (row[i].status == (ngx_uint_t) status) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate row \"status %V\" in "
                               "error_map_policy \"%V\"",
                               &value[1], &policy->name);
            return NGX_CONF_ERROR;
        }
    }

    row = ngx_array_push(&policy->statuses);
    if (row == NULL) {
        return NGX_CONF_ERROR;
    }

    row->status = status;

    return ngx_http_error_map_policy_parse(cf, policy, 2, &row->action);
}


static char *
ngx_http_error_map_policy_code(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy)
{
    u_char                         *slash;
    ngx_str_t                      *value;
    ngx_http_error_map_code_row_t  *row, new;

    value = cf->args->elts;

    ngx_memzero(&new, sizeof(ngx_http_error_map_code_row_t));

    slash = ngx_strlchr(value[1].data, value[1].data + value[1].len, '/');

    if (slash == NULL || slash == value[1].data
        || slash == value[1].data + value[1].len - 1)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid code \"%V\" in error_map_policy \"%V\", it "
                           "must be document/code or document/first-last",
                           &value[1], &policy->name);
        return NGX_CONF_ERROR;
    }

    new.matcher = value[1];
    new.document.data = value[1].data;
    new.document.len = slash - value[1].data;
    new.code.data = slash + 1;
    new.code.len = value[1].len - new.document.len - 1;
    new.file = cf->conf_file->file.name.data;
    new.line = cf->conf_file->line;
    new.number = policy->codes.nelts;

    new.range = em_group_range((char *) new.code.data, new.code.len,
                               &new.first, &new.last);

    if (new.range && new.first > new.last) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid range \"%V\" in error_map_policy \"%V\", "
                           "its first code must not be greater than its last",
                           &value[1], &policy->name);
        return NGX_CONF_ERROR;
    }

    row = ngx_array_push(&policy->codes);
    if (row == NULL) {
        return NGX_CONF_ERROR;
    }

    *row = new;

    return ngx_http_error_map_policy_parse(cf, policy, 2, &row->action);
}


static char *
ngx_http_error_map_policy_unknown(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy)
{
    if (policy->unknown) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate row \"unknown\" in error_map_policy "
                           "\"%V\"", &policy->name);
        return NGX_CONF_ERROR;
    }

    policy->unknown = ngx_palloc(cf->pool,
                                 sizeof(ngx_http_error_map_action_t));
    if (policy->unknown == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_error_map_policy_parse(cf, policy, 1, policy->unknown);
}


static char *
ngx_http_error_map_policy_none_row(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy)
{
    ngx_str_t                    *value;
    ngx_uint_t                    i, n;
    ngx_http_error_map_action_t  *action, **place;

    value = cf->args->elts;

    action = ngx_palloc(cf->pool, sizeof(ngx_http_error_map_action_t));
    if (action == NULL) {
        return NGX_CONF_ERROR;
    }

    for (n = 1; /* void */ ; n++) {

        if (n == cf->args->nelts) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "no status in row \"none\" of "
                               "error_map_policy \"%V\", it must be keep or "
                               "from 200 to 599 except 204, 205, 206 and 304",
                               &policy->name);
            return NGX_CONF_ERROR;
        }

        for (i = 0; i < NGX_HTTP_ERROR_MAP_NONE_REASONS; i++) {
            if (ngx_http_error_map_equal(&value[n],
                                &ngx_http_error_map_reasons[
                                        NGX_HTTP_ERROR_MAP_REASON_EMPTY + i]))
            {
                break;
            }
        }

        if (i == NGX_HTTP_ERROR_MAP_NONE_REASONS) {

            if (n > 1) {
                break;
            }

            place = &policy->none_others;

        } else {
            place = &policy->none[i];
        }

        if (*place) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate row \"none%s%V\" in "
                               "error_map_policy \"%V\"",
                               place == &policy->none_others ? "" : " ",
                               &ngx_http_error_map_reasons[
                                   place == &policy->none_others ? 0
                                   : NGX_HTTP_ERROR_MAP_REASON_EMPTY + i],
                               &policy->name);
            return NGX_CONF_ERROR;
        }

        *place = action;

        if (place == &policy->none_others) {
            break;
        }
    }

    if ((value[n].data[0] < '0' || value[n].data[0] > '9')
        && ngx_strcmp(value[n].data, "keep") != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid reason \"%V\" in row \"none\" of "
                           "error_map_policy \"%V\", it must be empty, "
                           "malformed, charset or no_code", &value[n],
                           &policy->name);
        return NGX_CONF_ERROR;
    }

    return ngx_http_error_map_policy_parse(cf, policy, n, action);
}


static char *
ngx_http_error_map_policy_retry_max(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (policy->retry_after_max != NGX_HTTP_ERROR_MAP_NO_RETRY) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate row \"retry_after_max\" in "
                           "error_map_policy \"%V\"", &policy->name);
        return NGX_CONF_ERROR;
    }

    policy->retry_after_max = ngx_parse_time(&value[1], 1);

    if (policy->retry_after_max == (time_t) NGX_ERROR
        || policy->retry_after_max == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid retry_after_max \"%V\" in "
                           "error_map_policy \"%V\", it must be a time in "
                           "whole seconds, at least 1s, like 30s or 5m",
                           &value[1], &policy->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_error_map_policy_include(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy)
{
    return ngx_conf_include(cf, NULL, policy);
}


ngx_int_t
ngx_http_error_map_status(ngx_str_t *value)
{
    ngx_int_t  status;

    status = ngx_atoi(value->data, value->len);

    if (status < 200 || status > 599
        || status == NGX_HTTP_NO_CONTENT || status == 205
        || status == NGX_HTTP_PARTIAL_CONTENT
        || status == NGX_HTTP_NOT_MODIFIED)
    {
        return NGX_ERROR;
    }

    return status;
}


ngx_int_t
ngx_http_error_map_class_names(ngx_conf_t *cf, ngx_str_t *names)
{
    u_char      *p;
    ngx_uint_t   i;

    for (names->len = 0, i = 0; i < EM_NCLASSES; i++) {
        names->len += em_class_names[i].len + 2;
    }

    names->data = ngx_pnalloc(cf->pool, names->len);
    if (names->data == NULL) {
        return NGX_ERROR;
    }

    for (p = names->data, i = 0; i < EM_NCLASSES; i++) {
        p = ngx_sprintf(p, "%s%s", i ? ", " : "", em_class_names[i].data);
    }

    names->len = p - names->data;

    return NGX_OK;
}


/* parses "status | keep [parameter ...]", from argument n on */

static char *
ngx_http_error_map_policy_parse(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy, ngx_uint_t n,
    ngx_http_error_map_action_t *action)
{
    char       *rv;
    ngx_int_t   status;
    ngx_str_t  *value, matcher;

    value = cf->args->elts;

    /* rows "unknown" and "none" have no matcher */

    ngx_str_set(&matcher, "");

    if (n == 2) {
        matcher = value[1];
    }

    ngx_memzero(action, sizeof(ngx_http_error_map_action_t));
    action->retry_after = NGX_HTTP_ERROR_MAP_NO_RETRY;

    if (ngx_strcmp(value[n].data, "keep") != 0) {
        status = ngx_http_error_map_status(&value[n]);

        if (status == NGX_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid status \"%V\" in row \"%V%s%V\" of "
                               "error_map_policy \"%V\", it must be keep or "
                               "from 200 to 599 except 204, 205, 206 and 304",
                               &value[n], &value[0], matcher.len ? " " : "",
                               &matcher, &policy->name);
            return NGX_CONF_ERROR;
        }

        action->status = status;
    }

    while (++n < cf->args->nelts) {

        rv = ngx_http_error_map_policy_parameter(cf, policy, &value[n],
                                                 &matcher, action);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (action->fails_off && action->next == NGX_HTTP_ERROR_MAP_NEXT_OFF) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"fails=off\" has no effect with "
                           "\"next_upstream=off\" in row \"%V%s%V\" of "
                           "error_map_policy \"%V\", nginx counts the failures "
                           "that it tries the next server for",
                           &value[0], matcher.len ? " " : "", &matcher,
                           &policy->name);
        return NGX_CONF_ERROR;
    }

    if (action->next == NGX_HTTP_ERROR_MAP_NEXT_ON && !policy->next_upstream) {
        policy->next_upstream = 1;

        ngx_http_error_map_place(cf, &policy->next_place);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_error_map_policy_parameter(ngx_conf_t *cf,
    ngx_http_error_map_policy_t *policy, ngx_str_t *value, ngx_str_t *matcher,
    ngx_http_error_map_action_t *action)
{
    ngx_str_t  *row, time;

    row = cf->args->elts;

    if (ngx_strncmp(value->data, "retry_after=", 12) == 0) {

        if (action->retry_after != NGX_HTTP_ERROR_MAP_NO_RETRY) {
            goto duplicate;
        }

        time.data = value->data + 12;
        time.len = value->len - 12;

        action->retry_after = ngx_parse_time(&time, 1);

        if (action->retry_after == (time_t) NGX_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid retry_after \"%V\" in row \"%V%s%V\" "
                               "of error_map_policy \"%V\", it must be a time "
                               "in whole seconds, like 30s or 5m",
                               &time, row, matcher->len ? " " : "", matcher,
                               &policy->name);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value->data, "next_upstream") == 0
        || ngx_strcmp(value->data, "next_upstream=off") == 0)
    {
        if (action->next != NGX_HTTP_ERROR_MAP_NEXT_STATUS) {
            goto duplicate;
        }

        action->next = value->len == sizeof("next_upstream") - 1
                       ? NGX_HTTP_ERROR_MAP_NEXT_ON
                       : NGX_HTTP_ERROR_MAP_NEXT_OFF;

        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value->data, "fails=off") == 0) {

        if (action->fails_off) {
            goto duplicate;
        }

        action->fails_off = 1;

        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" in row \"%V%s%V\" of "
                       "error_map_policy \"%V\", it must be retry_after=time, "
                       "next_upstream, next_upstream=off or fails=off",
                       value, row, matcher->len ? " " : "", matcher,
                       &policy->name);

    return NGX_CONF_ERROR;

duplicate:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "duplicate parameter \"%V\" in row \"%V%s%V\" of "
                       "error_map_policy \"%V\"",
                       value, row, matcher->len ? " " : "", matcher,
                       &policy->name);

    return NGX_CONF_ERROR;
}
