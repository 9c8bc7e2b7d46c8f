# The same with Perl's Vici::Session: client.pl SOCKET
use strict;
use warnings;
use IO::Socket::UNIX;
use Vici::Message;
use Vici::Session;

my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $ARGV[0]) or die "connect: $!";
my $s = Vici::Session->new($socket);
sub message { return Vici::Message->new($_[0]); }
sub ok { my ($what, $r) = @_; my ($good, $text) = @$r; die "client.pl: $what: $text\n" if !$good; }

die "client.pl: version\n" if !$s->version()->hash()->{version};
die "client.pl: stats\n" if !defined $s->stats()->hash()->{ikesas}->{total};
ok('load-conn', [$s->load_conn(message({lib => {
    version => 2, local_addrs => ['198.18.0.1'], remote_addrs => ['198.18.0.2'], encap => 'yes', proposals => ['aes256gcm16-prfsha384-ecp384'],
    local => {auth => 'psk', id => 'a.example'}, remote => {auth => 'psk', id => 'b.example'},
    children => {lib => {local_ts => ['10.10.0.0/24'], remote_ts => ['10.20.0.0/24'], esp_proposals => ['aes256gcm16-ecp384']}},
}}))]);
die "client.pl: get-conns\n" if !grep { $_ eq 'lib' } @{$s->get_conns()->hash()->{conns}};
ok('initiate', [$s->initiate(message({ike => 'lib', child => 'lib'}))]);
my ($sa) = grep { $_->{lib} } map { $_->hash() } @{$s->list_sas(message({ike => 'lib'}))};
die "client.pl: list-sas\n" if $sa->{lib}->{state} ne 'ESTABLISHED';
my @conns = map { keys %{$_->hash()} } @{$s->list_conns()};
die "client.pl: list-conns\n" if !grep { $_ eq 'lib' } @conns;
ok('terminate', [$s->terminate(message({ike => 'lib'}))]);
my ($good, $text) = $s->terminate(message({ike => 'lib'}));
die "client.pl: terminate of nothing: $text\n" if $good || $text !~ /^no matching SAs to terminate found/;
ok('unload-conn', [$s->unload_conn(message({name => 'lib'}))]);
