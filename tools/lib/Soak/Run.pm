package Soak::Run;

# What the soaks have in common: their clients, and the verdict.

use strict;
use warnings;

use ErrorMap qw(workers);
use ErrorMapStream qw(memory);
use Exporter qw(import);
use POSIX ();

our @EXPORT = qw(run_clients memories grown verdict);


# run_clients(\%seen, subs): runs each sub in a process of its own; a sub prints
# its faults as lines, and returns a hash of numbers, which are added to %seen.
# Returns all faults.

sub run_clients {
    my ($seen, @subs) = @_;
    my @faults;

    my @pipes = map {
        my $sub = $_;

        open my $pipe, '-|' // die "fork: $!" or do {
            my %count = $sub->();

            print map { "seen $_ $count{$_}\n" } keys %count;
            print "end\n";
            STDOUT->flush;
            POSIX::_exit(0);
        };

        $pipe;
    } @subs;

    for my $pipe (@pipes) {
        my $done = 0;

        while (my $line = <$pipe>) {
            chomp $line;

            if ($line eq 'end') {
                $done = 1;

            } elsif ($line =~ /^seen (\w+) (\d+)$/) {
                $seen->{$1} += $2;

            } else {
                push @faults, $line;
            }
        }

        push @faults, 'a client has ended' if !$done;
    }

    return @faults;
}


# memories(edge): the memory of its workers in KB, { pid => KB }

sub memories {
    my ($edge) = @_;

    return { map { $_ => memory($_, 'VmRSS') } workers($edge) };
}


# grown(KB, first, last): a fault for each worker that is new or has grown by
# more than the KB between two memories()

sub grown {
    my ($growth, $first, $last) = @_;

    return map {
        my ($from, $to) = ($first->{$_}, $last->{$_});

        !$from ? "worker $_ is new"
        : $to > $from + $growth ? "worker $_ grew from $from to $to KB" : ();
    } sort keys %$last;
}


# verdict(faults): prints the first ones, and exits with 1, if there are any

sub verdict {
    my @faults = @_;

    if (@faults) {
        print map { "FAULT: $_\n" } splice @faults, 0, 20;
        exit 1;
    }

    print "no fault\n";
}

1;
