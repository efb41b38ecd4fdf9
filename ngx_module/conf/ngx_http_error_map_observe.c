
#include "ngx_http_error_map_observe.h"


/*
 * nginx shows a directive to one module only.  So while the block http is read,
 * the commands of other modules have a handler that calls theirs and then looks
 * at the arguments.  All are restored before nginx can unload a module.
 */


typedef char *(*ngx_http_error_map_set_pt)(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


typedef struct {
    char                           *module;
    char                           *command;
    void                          (*handler)(ngx_conf_t *cf,
                                             ngx_module_t *module);

    /* while observed */
    ngx_module_t                   *found;
    ngx_command_t                  *cmd;
    ngx_http_error_map_set_pt       set;
} ngx_http_error_map_observed_command_t;


static char *ngx_http_error_map_observed(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void ngx_http_error_map_observe_cleanup(void *data);
static ngx_command_t *ngx_http_error_map_command(ngx_module_t *module,
    char *name);
static void ngx_http_error_map_observe_pass(ngx_conf_t *cf,
    ngx_module_t *module);
static void ngx_http_error_map_observe_set_header(ngx_conf_t *cf,
    ngx_module_t *module);
static void ngx_http_error_map_observe_subrequest(ngx_conf_t *cf,
    ngx_module_t *module);
static void ngx_http_error_map_observe_ssi(ngx_conf_t *cf,
    ngx_module_t *module);


static ngx_http_error_map_observed_command_t
    ngx_http_error_map_observed_commands[] =
{
    { "ngx_http_proxy_module", "proxy_pass",
      ngx_http_error_map_observe_pass, NULL, NULL, NULL },

    { "ngx_http_fastcgi_module", "fastcgi_pass",
      ngx_http_error_map_observe_pass, NULL, NULL, NULL },

    { "ngx_http_uwsgi_module", "uwsgi_pass",
      ngx_http_error_map_observe_pass, NULL, NULL, NULL },

    { "ngx_http_scgi_module", "scgi_pass",
      ngx_http_error_map_observe_pass, NULL, NULL, NULL },

    { "ngx_http_proxy_module", "proxy_set_header",
      ngx_http_error_map_observe_set_header, NULL, NULL, NULL },

    { "ngx_http_auth_request_module", "auth_request",
      ngx_http_error_map_observe_subrequest, NULL, NULL, NULL },

    { "ngx_http_mirror_module", "mirror",
      ngx_http_error_map_observe_subrequest, NULL, NULL, NULL },

    { "ngx_http_ssi_filter_module", "ssi",
      ngx_http_error_map_observe_ssi, NULL, NULL, NULL },

    { NULL, NULL, NULL, NULL, NULL, NULL }
};


ngx_int_t
ngx_http_error_map_observe(ngx_conf_t *cf)
{
    ngx_uint_t                              i;
    ngx_pool_cleanup_t                     *cln;
    ngx_http_error_map_observed_command_t  *oc;

    cln = ngx_pool_cleanup_add(cf->cycle->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_error_map_observe_cleanup;

    for (i = 0; cf->cycle->modules[i]; i++) {

        for (oc = ngx_http_error_map_observed_commands; oc->module; oc++) {

            if (oc->cmd
                || ngx_strcmp(oc->module, cf->cycle->modules[i]->name) != 0)
            {
                continue;
            }

            oc->found = cf->cycle->modules[i];
            oc->cmd = ngx_http_error_map_command(oc->found, oc->command);

            if (oc->cmd) {
                oc->set = oc->cmd->set;
                oc->cmd->set = ngx_http_error_map_observed;
            }
        }
    }

    return NGX_OK;
}


void
ngx_http_error_map_observe_end(void)
{
    ngx_http_error_map_observed_command_t  *oc;

    for (oc = ngx_http_error_map_observed_commands; oc->module; oc++) {

        if (oc->cmd) {
            oc->cmd->set = oc->set;
            oc->cmd = NULL;
        }
    }
}


/* the configuration is invalid, or was in use until now */

static void
ngx_http_error_map_observe_cleanup(void *data)
{
    ngx_http_error_map_observe_end();
}


static char *
ngx_http_error_map_observed(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                                   *rv;
    ngx_http_error_map_observed_command_t  *oc;

    for (oc = ngx_http_error_map_observed_commands; oc->cmd != cmd; oc++) {
        /* void */
    }

    rv = oc->set(cf, cmd, conf);

    if (rv == NGX_CONF_OK) {
        oc->handler(cf, oc->found);
    }

    return rv;
}


static ngx_command_t *
ngx_http_error_map_command(ngx_module_t *module, char *name)
{
    ngx_command_t  *cmd;

    for (cmd = module->commands; cmd && cmd->name.len; cmd++) {
        if (ngx_strcmp(cmd->name.data, name) == 0) {
            return cmd;
        }
    }

    return NULL;
}


static void
ngx_http_error_map_observe_pass(ngx_conf_t *cf, ngx_module_t *module)
{
    ngx_http_error_map_loc_conf_t  *conf;

    conf = ngx_http_conf_get_module_loc_conf(cf,
                                             ngx_http_error_map_filter_module);
    conf->observed.pass = module;
}


static void
ngx_http_error_map_observe_set_header(ngx_conf_t *cf, ngx_module_t *module)
{
    ngx_str_t                      *value;
    ngx_http_error_map_loc_conf_t  *conf;

    conf = ngx_http_conf_get_module_loc_conf(cf,
                                             ngx_http_error_map_filter_module);
    conf->observed.headers = 1;

    value = cf->args->elts;

    if (value[1].len == 15
        && ngx_strncasecmp(value[1].data, (u_char *) "accept-encoding", 15)
           == 0)
    {
        conf->observed.coding = value[2];
        ngx_http_error_map_place(cf, &conf->observed.coding_place);
    }
}


static void
ngx_http_error_map_observe_subrequest(ngx_conf_t *cf, ngx_module_t *module)
{
    ngx_str_t                       *uri, *value;
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);
    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        return;
    }

    uri = ngx_array_push(&emcf->subrequests);

    if (uri) {
        *uri = value[1];
    }
}


static void
ngx_http_error_map_observe_ssi(ngx_conf_t *cf, ngx_module_t *module)
{
    ngx_str_t                       *value;
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);
    value = cf->args->elts;

    if (ngx_strcasecmp(value[1].data, (u_char *) "on") == 0) {
        emcf->ssi = 1;
    }
}


/* its offset is known by that of a directive */

ngx_http_upstream_conf_t *
ngx_http_error_map_observed_upstream(ngx_http_error_map_loc_conf_t *conf,
    void **loc_conf)
{
    u_char         *p;
    ngx_module_t   *module;
    ngx_command_t  *cmd;

    module = conf->observed.pass;

    for (cmd = module ? module->commands : NULL; cmd && cmd->name.len; cmd++) {

        if (cmd->name.len > 17
            && ngx_strcmp(cmd->name.data + cmd->name.len - 17,
                          "_intercept_errors")
               == 0)
        {
            p = loc_conf[module->ctx_index];

            return (ngx_http_upstream_conf_t *)
                   (p + cmd->offset
                    - offsetof(ngx_http_upstream_conf_t, intercept_errors));
        }
    }

    return NULL;
}
