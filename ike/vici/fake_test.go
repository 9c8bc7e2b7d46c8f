package vici

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

var testNow = time.Date(2026, 5, 4, 10, 2, 3, 0, time.UTC)

// testSA is an IKE_SA with all that strongSwan shows of a NATed site-to-site tunnel with an AEAD.
func testSA() *IKESA {
	return &IKESA{
		Name: "office", UniqueID: 7, Version: 2, State: IKEEstablished,
		Local: netip.MustParseAddrPort("192.0.2.1:4500"), LocalID: "site-a.example",
		Remote: netip.MustParseAddrPort("198.51.100.20:4500"), RemoteID: "site-b.example",
		Initiator: true, InitiatorSPI: 0x0123456789abcdef, ResponderSPI: 0xfedc,
		NATRemote: true, NATFake: true, NATAny: true,
		Algorithms:  Algorithms{Encr: "AES_GCM_16", EncrKeySize: 256, PRF: "PRF_HMAC_SHA2_384", KE: "ECP_384"},
		Established: testNow.Add(-90 * time.Second), RekeyAt: testNow.Add(4 * time.Hour), ReauthAt: time.Time{},
		TasksActive: []string{"CHILD_REKEY"},
		Children: []ChildSA{{
			Name: "net", UniqueID: 9, ReqID: 1, State: ChildInstalled, Mode: "TUNNEL", Protocol: "ESP", Encap: true,
			SPIIn: 0xc0ffee, SPIOut: 0xdeadbeef,
			Algorithms: Algorithms{Encr: "AES_GCM_16", EncrKeySize: 256, KE: "ECP_384"}, ESN: true,
			BytesIn: 1234567, PacketsIn: 890, LastIn: testNow.Add(-time.Second),
			BytesOut: 84, PacketsOut: 1, LastOut: testNow.Add(-61 * time.Second),
			RekeyAt: testNow.Add(50 * time.Minute), ExpiresAt: testNow.Add(time.Hour), Installed: testNow.Add(-88 * time.Second),
			LocalTS: []string{"10.10.0.0/24", "10.11.0.0/24[tcp/80]"}, RemoteTS: []string{"10.20.0.0/24"},
		}},
	}
}

// testSA2 is a connecting responder without NAT: most fields are not there yet.
func testSA2() *IKESA {
	return &IKESA{
		Name: "lab", UniqueID: 8, Version: 2, State: IKEConnecting,
		Local: netip.MustParseAddrPort("[2001:db8::1]:500"), LocalID: "%any",
		Remote: netip.MustParseAddrPort("[2001:db8::2]:500"), RemoteID: "%any", ResponderSPI: 1,
		Algorithms: Algorithms{
			Encr: "AES_CBC", EncrKeySize: 128, Integ: "HMAC_SHA2_256_128", PRF: "PRF_HMAC_SHA2_256", KE: "CURVE_25519",
		},
	}
}

func testConn() Conn {
	return Conn{
		Name: "office", LocalAddrs: []string{"192.0.2.1"}, RemoteAddrs: []string{"198.51.100.20"},
		LocalPort: 500, RemotePort: 500, Version: "IKEv2", RekeyTime: 4 * time.Hour, Unique: "no",
		DPDDelay: 30 * time.Second, DPDTimeout: 0,
		LocalAuth:  []Auth{{Class: "pre-shared key", ID: "site-a.example"}},
		RemoteAuth: []Auth{{Class: "pre-shared key", ID: "site-b.example"}},
		Children: []ConnChild{{
			Name: "net", Mode: "TUNNEL", RekeyTime: time.Hour, RekeyBytes: 500000000, DPDAction: "start",
			CloseAction: "start", LocalTS: []string{"10.10.0.0/24"}, RemoteTS: []string{"10.20.0.0/24"},
		}},
	}
}

// testFailure is a failure whose text is what swanctl must show.
func testFailure() *diag.Failure {
	return diag.Refused(diag.Where{
		Connection: "office", Exchange: "IKE_SA_INIT", Local: netip.MustParseAddrPort("192.0.2.1:500"),
		Remote: netip.MustParseAddrPort("203.0.113.7:500"), ConfigLine: "gw.toml:14",
	}, wire.NotifyNoProposalChosen, diag.Offer{Proposals: []string{"aes256gcm16-prfsha384-ecp384"}})
}

func testStatus() Status {
	f := testFailure()
	return Status{
		Gateway: GatewayStatus{
			Version: "1.2.3", Since: testNow.Add(-time.Hour), Config: "/etc/esplanade/gw.toml", LoadedAt: testNow.Add(-time.Minute),
			ReloadError: "gw.toml:3:1: unknown key\ngw.toml:7:2: no such address", IKESAs: 2, HalfOpen: 1, ChildSAs: 1,
			DataPath: DataPath{
				Device: "ipsec0", MTU: 1406, Workers: 2, Sockets: []string{"192.0.2.1:500", "192.0.2.1:4500"},
				Routing:  &Routing{Restored: map[string]uint64{"routes": 3, "rules": 1 << 63}, Last: testNow, Contested: true, Missing: "no device"},
				Features: []Feature{{Name: "UDP_GRO", Used: true}, {Name: "UDP_SEGMENT", Reason: "setsockopt: protocol not available"}},
			},
			Drops:    []Drop{{"in", "replay", 3}, {"in", "icv", 1}, {"out", "no_policy", 12}},
			NoPolicy: "203.0.113.10 > 10.20.0.1 icmp/8(0)", NoPolicyAt: testNow.Add(-3 * time.Second),
			HostWarnings: []HostWarning{{Connection: "office", Child: "net", Text: "this host itself cannot use the tunnel"}, {Text: "it forwards nothing"}, {Certificate: true, Text: "it ends soon"}},
			RADIUS: []RADIUSStatus{{Server: "one", Service: "accounting", Address: "10.0.0.5:1813", Down: testNow.Add(-time.Minute), Heard: testNow.Add(-time.Hour),
				Outstanding: 1, Requests: 7, Answers: 5, Timeouts: 2, Wrong: 3}},
			RecordsWaiting: 4,
			Strangers: []FailureStatus{{
				Code: "E-CONN-NONE", Text: "no connection matches the peer", Fix: "add one", Count: 4,
				First: testNow.Add(-time.Hour), Last: testNow.Add(-time.Second),
			}},
		},
		Connections: []ConnStatus{
			{
				Origin: "VICI",
				Name:   "office", Local: "192.0.2.1", Remote: "203.0.113.7", LocalID: "site-a.example", RemoteID: "Bäckerei", PPK: "office-2026", DowngradePrevention: true, NAT: "remote", NATText: "in front of the peer",
				MOBIKE: true, LocalAddrs: []string{"2001:db8::1"}, RemoteAddrs: []string{"203.0.113.8", "2001:db8::7"}, HalfOpen: 5000, Refused: 2,
				Client: &ClientStatus{
					Addresses: []string{"10.3.0.7", "fd00::7"}, DNS: []string{"10.0.0.53"}, Domains: []string{"corp.example"}, DNSBy: "systemd-resolved",
					GivenDNS: []string{"10.0.0.53"}, GivenDomains: []string{"corp.example"}, Subnets: []string{"10.0.0.0/8"}, Problem: "no room",
				},
				State: State{
					Desired: "up", Current: "waiting", Since: testNow.Add(-3 * time.Minute), WaitsFor: "a retry at 10:03 – in 57s",
					NextTry: testNow.Add(57 * time.Second),
					LastFailure: &FailureStatus{
						Code: string(f.Code), Text: f.Summary(), Fix: f.Advice(), Count: 37,
						First: testNow.Add(-3 * time.Minute), Last: testNow.Add(-time.Second),
					},
				},
				Children: []ChildStatus{{
					Name: "net", State: State{Desired: "up", Current: "down", WaitsFor: "the IKE_SA"},
					LocalTS: []string{"10.10.0.0/24"}, RemoteTS: []string{"10.20.0.0/24"}, SAs: 1, BytesIn: 1, PacketsIn: 2,
					BytesOut: 3, PacketsOut: 1 << 63, Path: &PathStatus{MTU: 1400, Inner: 1338, LoweredBy: ByICMP, Since: testNow},
				}},
				Peers: []PeerStatus{
					{
						ID: 7, State: "established", Since: testNow.Add(-time.Hour), Initiator: true, UpSince: testNow.Add(-2 * time.Hour),
						Local: "192.0.2.1:4500", Remote: "203.0.113.7:4500", LocalID: "site-a.example", RemoteID: "Bäckerei", SPIi: "0123456789abcdef", SPIr: "fedcba9876543210",
						NAT: "remote", NATText: "in front of the peer", Proposal: "aes256gcm16-prfsha384-x25519", Resumed: true, PPK: "office-2026", Certificate: "CN=site-b", CertificateUntil: testNow.Add(48 * time.Hour), DowngradePrevention: true, MOBIKE: true,
						LocalAddrs: []string{"2001:db8::1"}, RemoteAddrs: []string{"203.0.113.8"}, NextRekey: testNow, NextReauth: testNow.Add(time.Hour),
						Requests: []string{"liveness check", "create child net"}, Heard: testNow.Add(-time.Second),
						Silence: &Silence{Request: "liveness check", Since: testNow, Repeated: 2, Tries: 5, Failure: &FailureStatus{Code: "E-DPD", Text: "no answer", Fix: "wait"}},
						Children: []SAStatus{{
							ID: 9, State: "installed", Since: testNow, SPIIn: "00c0ffee", SPIOut: "deadbeef", Transport: "udp", Proposal: "aes128gcm16",
							LocalTS: []string{"10.10.0.0/24"}, RemoteTS: []string{"10.20.0.0/24"}, Traffic: Traffic{"net", 1, 2, 3, 1 << 63},
							LastIn: testNow, LastOut: testNow, NextRekey: testNow, Expires: testNow,
						}, {ID: 10, State: "rekeyed", SPIIn: "1", SPIOut: "2", Transport: "esp"}},
						Traffic: []Traffic{{"net", 5, 6, 7, 8}, {"other", 0, 0, 0, 1}},
					},
					{ID: 12, State: "connecting", Local: "192.0.2.1:500", Remote: "203.0.113.9:500", SPIi: "1", SPIr: "0"},
				},
			},
			{Name: "lab", Local: "%any", Remote: "%any", State: State{
				Desired: "on command", Current: "up", Heard: testNow.Add(-time.Minute),
				Silence: &Silence{
					Request: "liveness check", Since: testNow.Add(-23 * time.Second), Repeated: 3, Tries: 5,
					Failure: &FailureStatus{Code: "E-DPD", Text: "no answer", Fix: "wait", Count: 1, First: testNow.Add(-23 * time.Second), Last: testNow},
				},
				Aside:   &FailureStatus{Code: "E-TIMEOUT-INIT", Text: "silent", Fix: "call", Count: 1},
				Remarks: []FailureStatus{{Code: "E-MTU", Text: "large packets vanish", Fix: "repair the firewall", Count: 2, First: testNow, Last: testNow}},
			}},
		},
	}
}

// fakeBackend answers with fixed values and records what it is asked.
type fakeBackend struct {
	mu    sync.Mutex
	calls []string

	sas   []IKESA
	conns []Conn
	// state and counters, if set, are Status and GetCounters.
	state    *Status
	counters []Counters
	// initiate, if set, is Initiate.
	initiate func(ctx context.Context, r InitiateRequest, log LogFunc) error
	// err, if set, is the error of everything that has one.
	err error
	// terminated is what Terminate says.
	terminated TerminateResult
	rekeyed    int
}

func newFake() *fakeBackend {
	return &fakeBackend{
		sas: []IKESA{*testSA(), *testSA2()}, conns: []Conn{testConn()},
		terminated: TerminateResult{Matches: 1, Terminated: 1}, rekeyed: 1,
	}
}

func (b *fakeBackend) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, fmt.Sprintf(format, args...))
}

// set changes the answers while the server runs.
func (b *fakeBackend) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

func (b *fakeBackend) fail() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// took returns the calls since the last time.
func (b *fakeBackend) took() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls
	b.calls = nil
	return c
}

func (b *fakeBackend) Version() Version {
	return Version{Daemon: "esplanade", Version: "1.2.3", Sysname: "Linux", Release: "6.1", Machine: "x86_64"}
}

func (b *fakeBackend) Stats(context.Context) (Stats, error) {
	return Stats{
		Since: testNow.Add(-5 * time.Hour), Workers: 4, IdleWorkers: 3, Queued: 2, Scheduled: 11, IKESAs: 2, HalfOpen: 1,
		Features: []string{"tun", "udp-gro"}, HeapBytes: 8192, HeapUsed: 4096, OtherBytes: 1024,
	}, b.fail()
}

func (b *fakeBackend) ListSAs(_ context.Context, f SAFilter, yield func(IKESA) error) error {
	b.note("list-sas %+v", f)
	b.mu.Lock()
	sas := b.sas
	b.mu.Unlock()
	for _, sa := range sas {
		if (f.IKE == "" || f.IKE == sa.Name) && (f.IKEID == 0 || f.IKEID == sa.UniqueID) {
			if err := yield(sa); err != nil {
				return err
			}
		}
	}
	return b.fail()
}

func (b *fakeBackend) ListConns(_ context.Context, ike string, yield func(Conn) error) error {
	b.note("list-conns %q", ike)
	for _, c := range b.conns {
		if err := yield(c); err != nil {
			return err
		}
	}
	return b.fail()
}

func (b *fakeBackend) GetConns(context.Context, bool) ([]string, error) {
	return []string{"office", "lab"}, b.fail()
}

func (b *fakeBackend) Initiate(ctx context.Context, r InitiateRequest, log LogFunc) error {
	b.note("initiate %+v", r)
	if b.initiate != nil {
		return b.initiate(ctx, r, log)
	}
	log(1, "IKE", "initiating IKE_SA office to 203.0.113.7")
	log(2, "IKE", "details that were not asked for")
	log(1, "ENC", "generating IKE_SA_INIT request 0 [ SA KE No ]")
	return b.fail()
}

func (b *fakeBackend) Terminate(_ context.Context, r TerminateRequest, log LogFunc) (TerminateResult, error) {
	b.note("terminate %+v", r)
	log(1, "IKE", "deleting IKE_SA office[7]")
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.terminated, b.err
}

func (b *fakeBackend) Rekey(_ context.Context, r RekeyRequest) (int, error) {
	b.note("rekey %+v", r)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rekeyed, b.err
}

func (b *fakeBackend) Redirect(_ context.Context, r RedirectRequest) (int, error) {
	b.note("redirect %+v", r)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rekeyed, b.err
}

func (b *fakeBackend) GetCounters(_ context.Context, name string, all bool) ([]Counters, error) {
	if b.counters != nil {
		return b.counters, nil
	}
	b.note("get-counters %q %v", name, all)
	if name == "none" {
		return nil, errors.New("no counters found for this connection")
	}
	return []Counters{{Name: name, Values: map[string]uint64{"ike-init-out-req": 3, "invalid-spi": 1 << 40}}}, b.fail()
}

func (b *fakeBackend) ResetCounters(_ context.Context, name string, all bool) error {
	b.note("reset-counters %q %v", name, all)
	return b.fail()
}

func (b *fakeBackend) ListPolicies(_ context.Context, f PolicyFilter, yield func(Policy) error) error {
	b.note("list-policies %+v", f)
	for _, p := range []Policy{
		{IKE: "office", Child: "net", Mode: ModeTunnel, LocalTS: []string{"10.10.0.0/24[tcp/ssh]"}, RemoteTS: []string{"dynamic"}},
		{IKE: "lab", Child: "all", Mode: ModeDrop, LocalTS: []string{"0.0.0.0/0"}, RemoteTS: []string{"0.0.0.0/0"}},
	} {
		if f.Selects(p) {
			if err := yield(p); err != nil {
				return err
			}
		}
	}
	return b.fail()
}

func (b *fakeBackend) Install(_ context.Context, ike, child string) error {
	b.note("install %q %q", ike, child)
	return b.fail()
}

func (b *fakeBackend) Uninstall(_ context.Context, ike, child string) error {
	b.note("uninstall %q %q", ike, child)
	return b.fail()
}

func (b *fakeBackend) Pools(_ context.Context, name string, leases bool) (out []Pool, err error) {
	for _, p := range []Pool{
		{"office", "10.30.0.0", 254, 1, 1, []PoolLease{{"10.30.0.1", "alice", true}, {"10.30.0.2", "CN=bob, O=x", false}}},
		{"six", "2001:db8:3::", 1<<64 - 1, 0, 0, nil},
	} {
		if name != "" && p.Name != name {
			continue
		}
		if !leases {
			p.Leases = nil
		}
		out = append(out, p)
	}
	return out, b.err
}

func (b *fakeBackend) Algorithms() []AlgorithmKind {
	return []AlgorithmKind{{Kind: "aead", Names: []string{"AES_GCM_16"}, Provider: "test"}, {Kind: "dh", Names: []string{"CURVE_25519"}, Provider: "test"}}
}

func (b *fakeBackend) ReloadSettings(context.Context) ([]string, error) {
	b.note("reload-settings")
	return []string{"added lab"}, b.fail()
}

func (b *fakeBackend) Status(_ context.Context, connection string, yield func(ConnStatus) error) (GatewayStatus, error) {
	st := testStatus()
	if b.state != nil {
		st = *b.state
	} else {
		b.note("status %q", connection)
	}
	for _, c := range st.Connections {
		if err := yield(c); err != nil {
			return GatewayStatus{}, err
		}
	}
	return st.Gateway, b.fail()
}

// shortDir is t.TempDir with a name that is short enough for sockets on every system.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "v")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// startServer serves b on a socket of its own until the test ends, and returns the server and the socket's path.
func startServer(t *testing.T, b Backend, o Options) (*Server, string) {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return testNow }
	}
	path := filepath.Join(shortDir(t), "v", "sock")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(b, o)
	serve(t, s, l)
	return s, path
}

// serve runs s on l until the test ends.
func serve(t *testing.T, s *Server, l net.Listener) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// dial connects a client that is closed when the test ends.
func dial(t *testing.T, path string) *Client {
	t.Helper()
	c, err := DialContext(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
