# The Debian packages in a Debian 12 of their own: they are installed, upgraded,
# removed and purged while nginx runs and serves requests; lintian, and the
# package's own test.
#
# Runs as root.  The second half is in namespaces without a network: ports,
# processes and mounts are not those of the machine, and end with the test.

use strict;
use warnings;

use ErrorMap qw(:DEFAULT shell);
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(sleep);

my $build = "$ErrorMap::root/build";
my $system = "$build/deb-system";
my $root = "$build/deb-root";
my $package = 'libnginx-mod-http-error-map';
my $so = '/usr/lib/nginx/modules/ngx_http_error_map_filter_module.so';
my $quiet = '--no-install-recommends -o Dpkg::Use-Pty=0';
my $enabled = '/etc/nginx/modules-enabled';
my $link = "$enabled/90-mod-http-error-map.conf";


# must(command): runs a command that must succeed, returns its output

sub must {
    my ($command) = @_;

    my ($status, $out) = shell($command);
    die "$command: $out" if $status != 0;

    return $out;
}


# within(command): runs it in the Debian of the test, as shell() does

sub within {
    my ($command) = @_;

    return shell("chroot $root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin"
               . " DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 $command");
}


# A fresh copy of that Debian, without a network.  As it has no init, a policy
# lets packages start and stop their services.

sub fresh {
    must("rm -rf --one-file-system $root && cp -a $system $root"
         . " && : > $root/etc/apt/sources.list");

    my $policy = "$root/usr/sbin/policy-rc.d";

    spew($policy, "#!/bin/sh\nexit 0\n");
    chmod 0755, $policy or die "$policy: $!";
}


if (!$ENV{EM_DEB_NAMESPACE}) {
    die "this test makes a Debian system; run it as root\n" if $> != 0;

    must("$ErrorMap::root/tools/deps autopkgtest debian-archive-keyring"
         . ' iproute2 lintian mmdebstrap util-linux');
    must("$ErrorMap::root/tools/deb");

    if (!-e $system) {
        my $mirror = $ENV{DEBIAN_MIRROR}
            || must(q{apt-get indextargets --format '$(REPO_URI)'}
                    . q{ 'Created-By: Packages' 'Component: main'}
                    . q{ | grep -m 1 '/debian/$'});
        chomp $mirror;

        must("rm -rf --one-file-system $system.new && mmdebstrap --quiet"
             . ' --variant=minbase --include=apt-utils,curl,nginx'
             . " bookworm $system.new $mirror && mv $system.new $system");
    }

    # the shell is process 1 there, and reaps the orphans of nginx

    $ENV{EM_DEB_NAMESPACE} = 1;
    exec 'unshare', qw(--net --pid --mount --ipc --uts --fork --kill-child
                       --mount-proc sh -c),
         'ip link set lo up && { "$@" & wait $!; }', 'sh', $^X,
         (map { "-I$_" } @INC), $0;
    die "unshare: $!";
}


END {
    return if !$ENV{EM_DEB_NAMESPACE};

    my $status = $?;
    system "umount $root/proc 2>/dev/null; rm -rf --one-file-system $root";
    $? = $status;
}


my @debs = grep { !/-dbgsym_/ } glob "$build/deb/*.deb";
my ($deb) = grep { m{/${package}_} } @debs;
my ($changes) = glob "$build/deb/*.changes";
my ($tree) = grep { -d } glob "$build/deb/nginx-error-map-*";

{
    my ($status, $out) = shell('lintian --allow-root --fail-on error,warning'
                             . ' --suppress-tags initial-upload-closes-no-bugs'
                             . " $changes");
    is($status, 0, 'lintian has neither an error nor a warning')
        or diag($out);
}

# the links of its pages; the licence and the changes have other names there

{
    my $dir = tempdir(CLEANUP => 1);
    my ($docs) = grep { m{/${package}-doc_} } @debs;
    my $doc = "$dir/usr/share/doc/$package";

    must("dpkg-deb -x $docs $dir");

    my @pages = (glob("$doc/*.md"), glob("$doc/*/*.md"));
    my @lost;

    for my $page (@pages) {
        my $folder = $page =~ s{/[^/]+$}{}r;

        push @lost, map { "$page: $_" } grep { !-e "$folder/$_" }
                    grep { !m{^https?:|^(?:\.\./)?(?:LICENSE|CHANGES|t/.*)$} }
                    slurp($page) =~ /\]\(([^)\s#]+)/g;
    }

    cmp_ok(scalar @pages, '>=', 15, 'the package of documentation has pages');
    is(join("\n", @lost), '', '... with links to files that it has');
    ok(-x "$doc/findings/nginx-intercept-close.sh", '... and its scripts run');
}

{
    fresh();
    must("mount -t proc proc $root/proc");

    my ($status, $out) = shell("autopkgtest -B $tree/ @debs -- chroot $root");
    is($status, 0, 'autopkgtest passes') or diag($out);
    like($out, qr/^edge +PASS$/m, '... and has run');

    must("umount $root/proc");
}


# A vendor, whose answers have names; a slow one comes in two parts, so that
# some request is always between them.

my %answer = (
    error   => '{"StatusCode":42505}',
    slow    => '{"Data":{"a":[1,2,3]},"StatusCode":42505}',
    success => '{"StatusCode":200,"Data":{}}',
);

my $vendor = vendor(sub {
    my ($s, $request) = @_;

    my ($name) = $request =~ m{^GET /(\w+) } or return;
    my $body = $answer{$name};

    print $s "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             . 'Content-Length: ' . length($body) . "\r\n\r\n"
             . substr $body, 0, 12;
    sleep 0.3 if $name eq 'slow';
    print $s substr $body, 12;

    return;
});


# clients(port, name => status, ...): two processes for each name, which send
# requests to that port all the time

sub clients {
    my ($port, %status) = @_;

    my $load = { dir => tempdir(CLEANUP => 1) };

    for my $name (map { ($_, $_) } sort keys %status) {
        my $pid = fork;
        die "fork: $!" if !defined $pid;

        if ($pid) {
            push @{ $load->{pids} }, $pid;
            next;
        }

        open my $fh, '>', "$load->{dir}/$$" or POSIX::_exit(1);
        $fh->autoflush(1);

        while (!-e "$load->{dir}/end") {
            my $wrong = wrong($port, $name, $status{$name});

            print $fh $wrong ? "$name: $wrong\n" : "ok\n";
            sleep 0.005;
        }

        POSIX::_exit(0);
    }

    return $load;
}


# wrong(port, name, status): the error in an answer, '' if there is none

sub wrong {
    my ($port, $name, $status) = @_;

    my $r = eval { get($port, "/$name") } or return $@ =~ s/\n//gr;
    my $code = $r->{headers}{'x-error-code'}[0] || '';

    return "status $r->{status}" if $r->{status} != $status;
    return "X-Error-Code: $code" if $code ne ($status == 402 ? '42505' : '');
    return "body $r->{body}" if $r->{body} ne $answer{$name};

    return '';
}


# the number of answers so far

sub answers {
    my ($load) = @_;

    my @lines = map { split /\n/, slurp($_) } glob "$load->{dir}/*";

    return scalar @lines;
}


# ends the clients; two tests: they have enough answers, and all are right

sub end {
    my ($load, $least, $name) = @_;

    # a signal would cut requests short

    spew("$load->{dir}/end", '');
    waitpid $_, 0 for @{ $load->{pids} };

    my @lines = map { split /\n/, slurp($_) } glob "$load->{dir}/*";
    my @bad = grep { $_ ne 'ok' } @lines;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    cmp_ok(scalar @lines, '>=', $least, "$name: it answers at least $least"
                                        . ' times');
    is(scalar @bad, 0, '... and every answer is right')
        or diag(join "\n", splice @bad, 0, 10);
}


# the processes of nginx that use another module than the installed one, or with
# 'any' any module; waits for old workers to end

sub holders {
    my ($which) = @_;

    my $inode = (stat "$root$so")[1] || 0;
    my @pids;

    wait_for(sub {
        @pids = ();

        for my $maps (glob '/proc/[0-9]*/maps') {
            my ($old) = slurp($maps)
                        =~ m{^\S+ \S+ \S+ \S+ (\d+) +\S*\Q$so\E}m or next;

            push @pids, $maps if $which eq 'any' || $old != $inode;
        }

        return !@pids;
    });

    return "@pids";
}


sub master {
    my $pid = slurp("$root/run/nginx.pid");
    chomp $pid;

    return $pid;
}


# one test: nginx -t succeeds

sub configured {
    my ($name) = @_;

    my ($status, $out) = within('nginx -t');

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($status, 0, $name) or diag($out);
}


sub reload_nginx {
    my ($status, $out) = within('/etc/init.d/nginx reload');
    die "reload: $out" if $status != 0;
}


# wrong_then(port, name, status): as wrong(), once it is ''.  A reload has not
# ended when its command returns.

sub wrong_then {
    my @request = @_;
    my $wrong;

    wait_for(sub { !($wrong = wrong(@request)) });
    return $wrong;
}


# all file names except those of caches, logs and temporary files

sub names {
    my $out = must("cd $root && find . -xdev \\( -path ./proc -o -path ./tmp"
                   . ' -o -path ./var/log -o -path ./var/cache'
                   . ' -o -path ./var/lib/apt \) -prune -o -print');

    return { map { $_ => 1 } split /\n/, $out };
}


sub install {
    my ($file, $name) = @_;

    must("cp $file $root/tmp/it.deb");

    my ($status, $out) = within("apt-get -y $quiet install /tmp/it.deb");

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($status, 0, $name) or diag($out);
}


# A Debian with its own nginx, started by its own script: port 8001 only passes
# responses on, 8002 maps them.

fresh();
must("mount -t proc proc $root/proc");

spew("$root/etc/nginx/conf.d/plain.conf", <<"END");
server {
    listen 127.0.0.1:8001;
    location / { proxy_pass http://127.0.0.1:$vendor; }
}
END

my $mapped = "$root/etc/nginx/conf.d/mapped.conf";
my $mapped_conf = <<"END";
server {
    listen 127.0.0.1:8002;
    location / {
        error_map tencent_iotvideo;
        proxy_pass http://127.0.0.1:$vendor;
    }
}
END

{
    my ($status, $out) = within('/etc/init.d/nginx start');
    is($status, 0, 'nginx starts') or diag($out);
}

is(wrong_then(8001, 'error', 200), '', 'an error leaves it as 200');

my @map = (8002, error => 402, slow => 402, success => 200);
my $plain = clients(8001, error => 200, slow => 200);
my $before = names();


# installed

install($deb, 'apt installs the package');
is(readlink "$root$link",
   '/usr/share/nginx/modules-available/mod-http-error-map.conf',
   '... and enables the module');
configured('... and nginx takes its configuration');

{
    my $vendors = 'usr/share/nginx-error-map/vendors';
    my $conf = "$root/etc/nginx/conf.d/vendors.conf";

    is_deeply([map { s{.*/}{}r } glob "$root/$vendors/*"],
              [map { s{.*/}{}r } glob "$ErrorMap::root/conf/vendors/*"],
              '... it has the documents of vendors');

    spew($conf, "include /$vendors/*.conf;\n");
    configured('... and nginx takes them');
    unlink $conf or die "$conf: $!";
}

# a minimal system may leave out manual pages

like((shell("dpkg-deb -c $deb"))[1], qr{ \./usr/share/man/\Q$_\E\.gz$}m,
     "the package has the page $_")
    for qw(man5/ngx_http_error_map.5 man1/error-map-draft.1);
ok(-x "$root/usr/bin/error-map-draft", '... and error-map-draft');

spew($mapped, $mapped_conf);
configured('... with error_map, too');
reload_nginx();
is(wrong_then(8002, 'error', 402), '', 'an error leaves it as 402');
is(wrong(8002, 'success', 200), '', '... and a success as 200');


# removed while it is in use

{
    my $load = clients(@map);
    my $pid = master();

    sleep 0.5;

    my ($status, $out) = within("apt-get -y $quiet remove $package");
    is($status, 0, 'apt removes the package while it is in use')
        or diag($out);
    ok(!-l "$root$link", '... and the module is not enabled');
    ok(!-e "$root$so", '... and is removed');

    ($status, $out) = within('nginx -t');
    isnt($status, 0, '... and nginx refuses error_map from now on');
    like($out, qr{unknown directive "error_map" in .*/mapped\.conf:4$}m,
         '... and names its place');

    sleep 0.5;
    end($load, 50, 'the running nginx goes on');
    is(master(), $pid, '... as the same process');
}

unlink $mapped or die "$mapped: $!";
configured('without error_map nginx takes its configuration');
reload_nginx();
is(holders('any'), '', '... and releases the module');


# purged

{
    my ($status, $out) = within("apt-get -y $quiet purge $package");
    is($status, 0, 'apt purges the package') or diag($out);

    my $after = names();
    my @left = grep { !$before->{$_} } sort keys %$after;
    my @missing = grep { !$after->{$_} } sort keys %$before;

    is("@left", '', '... and no file is left');
    is("@missing", '', '... and no older file is missing');
}


# upgraded from the last package whose link had another number

my $old = tempdir(CLEANUP => 1);
my $before_90 = '1.0.0-1';

{
    my ($version) = $deb =~ m{_([^_]+)_[^_/]+$};
    my ($status) = shell("dpkg --compare-versions $version gt $before_90");

    is($status, 0, "$version is newer than $before_90");
}

must("cd $old && dpkg-deb -R $deb tree"
     . " && sed -i 's/^Version: .*/Version: $before_90/' tree/DEBIAN/control"
     . " && sed -i '/^# The link/,/^fi/d; s/90-mod-http/50-mod-http/'"
     . ' tree/DEBIAN/postinst tree/DEBIAN/prerm tree/DEBIAN/postrm'
     . ' && dpkg-deb --root-owner-group -b tree old.deb');


sub dpkg {
    my ($status, $out) = within("dpkg $_[0] $package");
    die "dpkg $_[0]: $out" if $status != 0;
}


# the links of the module, enabled and not

sub links {
    return join ' ', map { s{.*/}{}r }
                     glob "$root$enabled/*-mod-http-error-map.conf*";
}


{
    install("$old/old.deb", 'apt installs an older package');
    is(links(), '50-mod-http-error-map.conf', '... with its link');
    spew($mapped, $mapped_conf);
    reload_nginx();
    is(wrong_then(8002, 'error', 402), '', '... which maps');
    is(holders('other'), '', '... with its own module');

    my $load = clients(@map);
    my $inode = (stat "$root$so")[1];

    sleep 0.5;

    my $begin = answers($load);
    install($deb, 'apt upgrades it');
    my $during = answers($load) - $begin;

    cmp_ok($during, '>=', 20, '... while nginx has answered 20 times');
    isnt((stat "$root$so")[1], $inode, '... and the module is another file');
    is(holders('other'), '', '... and all processes use it');
    ok(kill(0, master()), '... and the master runs');
    is(links(), '90-mod-http-error-map.conf', '... and the link has moved');

    my ($status, $out) = within("dpkg-query -W -f '\${Status} \${Version}'"
                                . " $package");
    like($out, qr/^install ok installed (?!\Q$before_90\E$)/, '... all set up');

    sleep 0.5;
    end($load, 100, 'the upgraded nginx goes on');
    is(wrong(8002, 'error', 402), '', '... and maps');
    configured('... and nginx takes its configuration');
}


# what the administrator has disabled stays so, what was removed comes back

{
    unlink $mapped or die "$mapped: $!";
    dpkg('--purge');
    install("$old/old.deb", 'apt installs an older package again');
    must("rm $root$enabled/50-mod-http-error-map.conf");
    install($deb, '... and upgrades it when it is disabled');
    is(links(), '', '... and it stays disabled');

    dpkg('--purge');
    install("$old/old.deb", 'apt installs an older package again');
    dpkg('--remove');
    is(links(), '50-mod-http-error-map.conf.removed', '... and removes it');
    install($deb, '... and installs this one');
    is(links(), '90-mod-http-error-map.conf', '... which is enabled');
    configured('... and nginx takes its configuration');

    dpkg('--purge');
    is(links(), '', 'a purge leaves no link');
}


end($plain, 200, 'the port without the module goes on');

{
    my ($status, $out) = within('/etc/init.d/nginx stop');
    is($status, 0, 'nginx stops') or diag($out);

    my @bad = grep { /\[(?:alert|emerg|crit)\]/ && !/unknown directive/ }
              split /\n/, slurp("$root/var/log/nginx/error.log");
    is(join("\n", @bad), '', '... and its log is clean');
}


done_testing();
