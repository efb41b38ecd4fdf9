# container/, as far as Debian's packages can run it: the module folder is built
# as by the official image's build, and nginx runs the Kubernetes example with
# that module, as the manifests say, in a directory laid out like a pod.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT child shell);
use File::Basename qw(basename);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $root = $ErrorMap::root;

# its output is not TAP

system("$root/tools/deps libyaml-libyaml-perl nginx-dev dpkg-dev file 1>&2")
    == 0 or die 'packages are missing';
require YAML::XS;

my $folder = "$root/container/error-map";
my $manifests = "$root/container/kubernetes";
my $dir = tempdir(CLEANUP => 1);
my $so = 'ngx_http_error_map_filter_module.so';

chmod 0755, $dir;


sub run_ok {
    my ($command, $name) = @_;
    my ($status, $out) = shell($command);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($status, 0, $name) or diag(substr $out, -2000);

    return $out;
}


# The folder.  The image's build skips a prebuild that is not executable.

my ($source, @more) = split ' ', slurp("$folder/source");
my ($version) = $source =~ m{/(\d+\.\d+\.\d+)\.tar\.gz$};

like($source, qr{^https://}, 'source is an address');
ok($version, '... of a tarball with a version');
is_deeply(\@more, [], '... and nothing else');

my $deps = join ' ', split ' ', slurp("$folder/build-deps");

run_ok("apt-get install --simulate --no-install-recommends $deps",
       "Debian has $deps");
run_ok("apt-get install -y --no-install-recommends $deps",
       'build-deps are installed');

ok(-x "$folder/prebuild", 'prebuild can be executed');
run_ok("$folder/prebuild", '... and runs');
ok(-f "/usr/include/$_.h", "... and $_.h is there then")
    for qw(brotli/decode pcre2 zlib zstd);

# there is no Alpine here: apk only records its arguments

mkdir "$dir/apk";
mkdir "$dir/none";
spew("$dir/apk/apk", "#!/bin/sh\necho apk \"\$@\"\n");
chmod 0755, "$dir/apk/apk";

my ($status, $out) = shell("PATH=$dir/apk $folder/prebuild");
is("$status $out", "0 apk add brotli-dev pcre2-dev zlib-dev zstd-dev\n",
   'on Alpine it asks apk');

($status, $out) = shell("PATH=$dir/none $folder/prebuild");
isnt($status, 0, 'it fails where there is neither');
like($out, qr/neither apt-get nor apk was found/, '... and says so');


# a release's tarball: the files that git would put into it, or all files of a
# tree without git

sub release_files {
    my $git = "git -c safe.directory='*' -C $root";

    return grep { -f "$root/$_" } split /\0/,
           `cd $root && find * -path build -prune -o -path 't/servroot*' \\
            -prune -o -type f -print0` if !-e "$root/.git";

    my @attr = split /\0/, `$git ls-files -zco --exclude-standard \\
                            | $git check-attr -z --stdin export-ignore`;
    my @files;

    while (my ($file, undef, $ignored) = splice @attr, 0, 3) {
        push @files, $file if $ignored ne 'set' && -f "$root/$file";
    }

    return @files;
}

spew("$dir/files", join "\0", release_files());
run_ok("tar -C $root --transform s,^,nginx-error-map-$version/,"
       . " -czf $dir/module.tgz --null -T $dir/files", 'a tarball');

my $unpack = "top=\$(tar tzf $dir/module.tgz | head -n 1 | cut -f1 -d/)"
             . " && tar xzf $dir/module.tgz && mv \$top";


# It becomes part of a Debian source package, which must not have a binary file
# that "file" takes for a text.

make_path("$dir/package/p-1/debian/source", "$dir/package/p-1/debian/extra");
spew("$dir/package/p-1/debian/source/format", "3.0 (quilt)\n");
spew("$dir/package/p-1/debian/control", <<'END_CONTROL');
Source: p
Maintainer: Nobody <nobody@example.com>

Package: p
Architecture: any
Description: p
END_CONTROL
spew("$dir/package/p-1/debian/changelog", <<'END_CHANGELOG');
p (1-1) unstable; urgency=low

  * The first.

 -- Nobody <nobody@example.com>  Sat, 01 Jan 2000 00:00:00 +0000
END_CHANGELOG

run_ok("cd $dir/package && tar czf p_1.orig.tar.gz --exclude debian p-1"
       . " && cd p-1/debian/extra && $unpack errormap && cd ../.."
       . ' && find debian -type f -exec file --mime {} + '
       . ' | grep -F charset=binary | cut -f1 -d: > debian/source/b'
       . ' ; mv debian/source/b debian/source/include-binaries'
       . ' && cd .. && dpkg-source -b p-1', '... fits into a source package');


# The build: the tarball's directory becomes "extra/errormap-" and nginx's
# version in a copy of nginx's tree, once as it is and once for nginx-debug,
# with the compiler's options of a Debian package.

my $src = '/usr/share/nginx/src';
my ($nginx_version) = slurp("$src/src/core/nginx.h")
                      =~ /NGINX_VERSION\s+"(.*?)"/;
my $module = "extra/errormap-$nginx_version";

my $flags = 'DEB_BUILD_MAINT_OPTIONS=hardening=+all'
            . ' DEB_CFLAGS_MAINT_APPEND="-Wp,-D_FORTIFY_SOURCE=2 -fPIC"'
            . ' DEB_LDFLAGS_MAINT_APPEND=-Wl,--as-needed dpkg-buildflags --get';

for my $kind ('', 'debug') {
    my $tree = "$dir/tree$kind";
    my $debug = $kind ? '--with-debug' : '';
    my $name = $kind || 'release';

    run_ok("cp -R $src $tree && mkdir $tree/extra && cd $tree/extra"
           . " && $unpack ../$module",
           "$name: is unpacked");

    # without this line the build would take it for a static module, and write
    # another config

    like(slurp("$tree/$module/config"), qr{^\s*\.\s+auto/module}m,
         "$name: its config is one for dynamic modules");

    run_ok("cd $tree && ./configure --prefix=/etc/nginx --with-compat"
           . ' --modules-path=/usr/lib/nginx/modules --with-file-aio'
           . ' --with-threads --with-http_slice_module --with-http_ssl_module'
           . " --with-http_v2_module --add-dynamic-module=$module $debug"
           . " --with-cc-opt=\"\$($flags CFLAGS)\""
           . " --with-ld-opt=\"\$($flags LDFLAGS)\"",
           "$name: is configured");

    $out = run_ok("make -C $tree -f objs/Makefile -j \$(nproc) modules",
                  "$name: compiles");

    unlike($out, qr/warning:/, "$name: ... without a warning");
    is_deeply([map { basename($_) } glob "$tree/objs/*.so"], [$so],
              "$name: one shared object");
}


# The manifests.

sub manifest {
    my ($name) = @_;
    my ($doc, @more) = YAML::XS::LoadFile("$manifests/$name");

    is(scalar @more, 0, "$name is one document");

    return $doc;
}

my $kustomization = manifest('kustomization.yaml');
my %object = map { ($_->{kind} => $_) } map { manifest($_) }
             @{ $kustomization->{resources} };
my ($deployment, $service, $disruption)
    = @object{qw(Deployment Service PodDisruptionBudget)};
my $template = $deployment->{spec}{template};
my $pod = $template->{spec};
my ($container, @others) = @{ $pod->{containers} };
my $annotation = $template->{metadata}{annotations};
my $labels = $template->{metadata}{labels};

is_deeply([sort map { basename($_) } glob "$manifests/*.yaml"],
          [sort 'kustomization.yaml', @{ $kustomization->{resources} }],
          'kustomization.yaml names all manifests');
is_deeply([$deployment->{spec}{replicas}, scalar @others], [2, 0],
          'two replicas of one container');

my ($image) = @{ $kustomization->{images} };

is($image->{name}, $container->{image}, 'the image has its address there');
is($image->{newTag}, $version, '... and the version that is built');

is_deeply($_->[1], $labels, "$_->[0] selects the pods")
    for ['the Deployment', $deployment->{spec}{selector}{matchLabels}],
        ['the Service', $service->{spec}{selector}],
        ['the budget', $disruption->{spec}{selector}{matchLabels}],
        ['the spread', $pod->{topologySpreadConstraints}[0]{labelSelector}
                       {matchLabels}];

ok($pod->{securityContext}{runAsNonRoot}, 'not as root');
is($pod->{securityContext}{seccompProfile}{type}, 'RuntimeDefault', 'seccomp');
ok(!$pod->{automountServiceAccountToken}, 'no token');
ok($container->{securityContext}{readOnlyRootFilesystem}, 'read-only');
is($container->{securityContext}{allowPrivilegeEscalation}, '',
   'no privileges to gain');
is_deeply($container->{securityContext}{capabilities}, { drop => ['ALL'] },
          'no capabilities');
ok($container->{resources}{limits}{memory}, 'a limit of memory');

my %port = map { ($_->{name} => $_->{containerPort}) }
           @{ $container->{ports} };
my $probe = $container->{readinessProbe}{httpGet};

is_deeply([map { $_->{targetPort} } @{ $service->{spec}{ports} }], ['http'],
          'the Service has the port for clients only');
is($annotation->{'prometheus.io/port'}, $port{metrics},
   'Prometheus has that of the metrics');
is($probe->{port}, 'metrics', '... and so has the kubelet');


# volumes, and the contents of a ConfigMap: file name => text

my %generated = map { ($_->{name} => { map { (basename($_)
                                              => slurp("$manifests/$_")) }
                                       @{ $_->{files} } }) }
                @{ $kustomization->{configMapGenerator} };
my %volume = map { ($_->{name} => $_) } @{ $pod->{volumes} };
my (%conf, @writable);

for my $mount (@{ $container->{volumeMounts} }) {
    my $volume = delete $volume{$mount->{name}} || {};
    my $path = $mount->{mountPath};

    ok(!$mount->{subPath}, "$path is a whole volume");

    if ($volume->{configMap}) {
        $conf{$path} = delete $generated{$volume->{configMap}{name}};
        ok($conf{$path}, "... a ConfigMap that is generated");
        ok($mount->{readOnly}, '... and read-only');

    } else {
        ok($volume->{emptyDir}{sizeLimit}, '... empty, with a limit');
        push @writable, $path;
    }
}

is_deeply([%volume, %generated], [], 'every volume and ConfigMap is used');
is_deeply([keys %conf], ['/etc/edge'], 'one ConfigMap');

my $conf = $conf{'/etc/edge'};

is_deeply([sort keys %$conf], [sort map { basename($_) }
                                    glob "$manifests/conf/*"],
          'it has all files of conf/');

# nginx has the rest of the time to end

my @sleep = @{ $container->{lifecycle}{preStop}{exec}{command} };
my ($shutdown) = $conf->{'nginx.conf'} =~ /^worker_shutdown_timeout\s+(\d+)s;/m;

is($sleep[0], 'sleep', 'it waits before it ends');
cmp_ok($pod->{terminationGracePeriodSeconds}, '>', $sleep[1] + $shutdown,
       '... and is not killed before nginx ends');


# The path has the vendor's code: /42505 for the first document, /e/4290 for the
# second, and /slow/42505 takes a second.

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my ($slow, $error, $code) = $request =~ m{^GET /(slow/)?(e/)?(\d+) }
        or die $request;
    my $body = $error ? "{\"error\":{\"code\":$code}}"
                      : "{\"StatusCode\":$code}";

    sleep 1 if $slow;
    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
});

my %real = map { ($_ => free_port()) } keys %port;
my $addresses = 0;


# real addresses and paths replace those of a pod

sub here {
    my ($text) = @_;

    $text =~ s/^(\s*listen\s+)$port{$_};/${1}127.0.0.1:$real{$_};/mg
        for keys %port;
    $addresses += $text =~ s/\w+\.example\.com:80;/127.0.0.1:$vendor;/g;
    $text =~ s{(?<=\s)\Q$_\E/}{$dir/pod$_/}g for @writable;

    # where the module is linked into the binary under test

    $text =~ s/^load_module.*//m if load_module() eq '';

    return $text;
}


# the files of a volume as the kubelet writes them: one rename brings a new
# version

my $generation = 0;

sub mount {
    my ($path, $files) = @_;
    my $v = '..' . ++$generation;

    make_path("$path/$v");

    for (keys %$files) {
        spew("$path/$v/$_", here($files->{$_}));
        chmod 0444, "$path/$v/$_";
        symlink "..data/$_", "$path/$_";
    }

    chmod 0555, "$path/$v";
    symlink $v, "$path/..data_tmp";
    rename "$path/..data_tmp", "$path/..data" or die "$path: $!";
}

mount("$dir/pod/etc/edge", $conf);
is($addresses, 2, 'two vendors');

my $user = $pod->{securityContext}{runAsUser};
my $group = $pod->{securityContext}{runAsGroup};

for ((map { "$dir/log/$_" } qw(edge bad reload)),
     (map { "$dir/pod$_" } @writable)) {

    make_path($_);
    chown $user, $group, $_ if $> == 0;
}

# as in the image: nginx's own directory, with a link to the modules

make_path("$dir/pod/etc/nginx", "$dir/pod/usr/lib/nginx/modules");
symlink '../../usr/lib/nginx/modules', "$dir/pod/etc/nginx/modules";
system('cp', "$dir/tree/objs/$so", "$dir/pod/usr/lib/nginx/modules") == 0
    or die 'no module';


# nginx in that pod, as the user of the manifest

sub nginx_in {
    my ($log, $conf, @args) = @_;

    s{^/etc/edge/}{$conf/} for @args;

    my $pid = fork;
    die "fork: $!" if !defined $pid;

    return $pid if $pid;

    if ($> == 0) {
        $) = "$group $group";
        POSIX::setgid($group);
        POSIX::setuid($user);
    }

    # the image's log is a link to stderr

    open STDOUT, '>>', "$dir/log/$log/stdout" or POSIX::_exit(9);
    open STDERR, '>>', "$dir/log/$log/stderr" or POSIX::_exit(9);
    exec { nginx() } 'nginx', '-p', "$dir/pod/etc/nginx", '-e', 'stderr',
                     @args
        or POSIX::_exit(9);
}

is_deeply($container->{command}, ['nginx'], 'the command is nginx');

my @args = @{ $container->{args} };
my $edge = nginx_in('edge', "$dir/pod/etc/edge", @args);

child($edge);

my $r = { status => 0 };

wait_for(sub {
    die 'nginx does not start: ' . slurp("$dir/log/edge/stderr")
        if waitpid($edge, POSIX::WNOHANG) == $edge;

    $r = eval { get($real{$probe->{port}}, $probe->{path}) } || $r;
    return $r->{status} == 200;
});

is($r->{status}, 200, 'the edge is ready');

my ($owner) = slurp("/proc/$edge/status") =~ /^Uid:\s+(\d+)/m;

isnt($owner, 0, 'it does not run as root');
is($owner, $user, '... but as the manifest says') if $> == 0;


sub edge_ok {
    my ($uri, $status, $retry, $class, $body) = @_;
    my $r = get($real{http}, $uri);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply([$r->{status}, map({ $r->{headers}{$_}[0] }
                                 qw(retry-after x-error-class)), $r->{body}],
              [$status, $retry, $class, $body], "$uri: $status");
}

edge_ok('/video/42505', 429, 30, 'RESOURCE_EXHAUSTED', '{"StatusCode":42505}');
edge_ok('/video/42504', 502, undef, 'UNAUTHENTICATED', '{"StatusCode":42504}');
edge_ok('/video/1', 502, undef, 'UNKNOWN', '{"StatusCode":1}');
edge_ok('/video/200', 200, undef, undef, '{"StatusCode":200}');
edge_ok('/sensors/e/4290', 429, 1, 'RESOURCE_EXHAUSTED',
        '{"error":{"code":4290}}');
edge_ok('/sensors/e/5030', 503, 5, 'UNAVAILABLE', '{"error":{"code":5030}}');
edge_ok('/sensors/e/4001', 502, undef, 'UNAUTHENTICATED',
        '{"error":{"code":4001}}');
edge_ok('/sensors/e/0', 200, undef, undef, '{"error":{"code":0}}');

like(slurp("$dir/log/edge/stdout"),
     qr{"GET /video/42505 HTTP/1\.1" 429 200 tencent_iotvideo 42505 mapped\n},
     'the log goes to standard output');


sub quota {
    my $page = get($real{metrics}, $annotation->{'prometheus.io/path'})->{body};

    return $page =~ /^nginx_error_map_codes_total\{document="tencent_iotvideo",
                      code="42505",class="RESOURCE_EXHAUSTED"\}\ (\d+)$/mx
        ? $1 : $page;
}

is($annotation->{'prometheus.io/scrape'}, 'true', 'Prometheus may scrape');
is(quota(), 1, '... and gets the counters');
is(get($real{http}, $annotation->{'prometheus.io/path'})->{status}, 404,
   '... but clients do not');


# A policy that nginx refuses: a new pod does not start with it.

my %bad = %$conf;

is($bad{'policy.conf'} =~ s/RESOURCE_EXHAUSTED/RESOURCE_EXHAUST/, 1,
   'a bad policy');
mount("$dir/bad", \%bad);

my $pid = nginx_in('bad', "$dir/bad", @args);

waitpid $pid, 0;
isnt($?, 0, 'nginx refuses it');

like(slurp("$dir/log/bad/stderr"),
     qr{\[emerg\].*RESOURCE_EXHAUST.* in .*/bad/policy\.conf:},
     '... and names the file');


# Another policy in the running pod, and the command of container/README.md.

my %other = %$conf;

is($other{'policy.conf'} =~ s/(42505\s+)429 retry_after=30s/${1}503/, 1,
   'another policy');
mount("$dir/pod/etc/edge", \%other);

edge_ok('/video/42505', 429, 30, 'RESOURCE_EXHAUSTED', '{"StatusCode":42505}');

my @old = split ' ', `ps -o pid= --ppid $edge`;
my ($reload) = slurp("$root/container/README.md")
               =~ /`kubectl exec POD -- nginx (.*?)`/;

$pid = nginx_in('reload', "$dir/pod/etc/edge", split ' ', $reload);
waitpid $pid, 0;
is($?, 0, "nginx $reload");

is(scalar @old, 2, 'two workers');

# old workers accept connections until they get the signal

wait_for(sub { !kill 0, @old });

my $before = quota();

edge_ok('/video/42505', 503, undef, 'RESOURCE_EXHAUSTED',
        '{"StatusCode":42505}');
is($before, 2, 'the counters are kept');
is(quota(), $before + 1, '... and go on');


# the end of a pod: requests in progress end, new connections are refused

my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                              PeerPort => $real{http}) or die "connect: $!";

syswrite $s, "GET /video/slow/42505 HTTP/1.1\r\nHost: edge\r\n\r\n";
sleep 0.3;
kill 'QUIT', $edge;
sleep 0.3;

is(IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $real{http}),
   undef, 'no new connections after SIGQUIT');

my $bytes = '';

1 while sysread $s, $bytes, 65536, length $bytes;
$r = parse($bytes);

is_deeply([$r->{status}, $r->{body}, $r->{complete}],
          [503, '{"StatusCode":42505}', 1], '... the last request is served');

my $ended = 0;

wait_for(sub { $ended = waitpid $edge, POSIX::WNOHANG });

is_deeply([$ended, $?], [$edge, 0], '... and nginx exits with 0');

clean_log({ dir => "$dir/log/edge" });

is_deeply([map { basename($_) } glob "$dir/pod/tmp/*"],
          [qw(client_body fastcgi proxy scgi uwsgi)],
          '/tmp has the directories of temporary files, and nothing else');

done_testing();
