//go:build linux

package integration

import (
	"crypto/x509"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"esplanade/integration/lab"
	"esplanade/integration/peer"
)

// certWorld is two gateways with many connections between them, one for each way in which the two sides can prove who they are: Esplanade
// on a, strongSwan on b. Only one is up at a time.
type certWorld struct {
	t           *testing.T
	p           *pair
	root, other *testCA
	a, b        peer.Gateway
}

// newCertWorld has both roots at both ends.
func newCertWorld(t *testing.T) *certWorld {
	w := &certWorld{t: t, root: newCA(t, "Test Root", nil), other: newCA(t, "Other Root", nil)}
	w.a.Files, w.b.Files = []peer.File{w.root.file("root")}, []peer.File{w.root.file("root")}
	return w
}

// way is how the two sides of a connection prove who they are, and what each wants of the other. What is zero is a certificate of
// the root, with an ECDSA key.
type way struct {
	name           string
	aShows, bShows peer.Auth
	aWants, bWants peer.Auth
	// aMore and bMore are rounds after the first, with pre-shared keys, which the two ends write alike.
	aMore, bMore []peer.Auth
	idA, idB     string
	ike, esp     string
	start        string
}

// showing has a side prove itself with a certificate; chain goes along with it.
func (w *certWorld) showing(g *peer.Gateway, name string, l leaf, chain ...*x509.Certificate) peer.Auth {
	w.t.Helper()
	files := l.files(w.t, name, chain...)
	if g == &w.b { // strongSwan has one certificate in a file, and those of CAs elsewhere
		files = l.files(w.t, name)
		for i, c := range chain {
			g.Files = append(g.Files, peer.File{Kind: peer.X509CA, Name: fmt.Sprintf("%s-%d.pem", name, i), Data: pemOf(c)})
		}
	}
	g.Files = append(g.Files, files...)
	return peer.Auth{Method: "pubkey", Certs: []string{name + ".pem"}}
}

// wanting accepts what the root has issued.
func wanting() peer.Auth { return peer.Auth{Method: "pubkey", CACerts: []string{"root.pem"}} }

// names are the identities of a way.
func (x *way) names() (a, b string) { return x.name + ".a.example", x.name + ".b.example" }

// add makes the connection at both ends.
func (w *certWorld) add(x way) {
	w.t.Helper()
	a, b := x.names()
	if x.idA == "" {
		x.idA = a
	}
	if x.idB == "" {
		x.idB = b
	}
	if x.aShows.Method == "" {
		x.aShows = w.showing(&w.a, x.name+"-a", w.root.issue(a, "p256"))
	}
	if x.bShows.Method == "" {
		x.bShows = w.showing(&w.b, x.name+"-b", w.root.issue(b, "p256"))
	}
	if x.aWants.Method == "" {
		x.aWants = wanting()
	}
	if x.bWants.Method == "" {
		x.bWants = wanting()
	}
	if x.ike == "" {
		x.ike, x.esp = "aes256gcm16-prfsha384-ecp384", "aes256gcm16-ecp384"
	}
	c := peer.Connection{Name: x.name, Local: w.p.A.Outer4, Remote: w.p.B.Outer4, LocalID: x.idA, RemoteID: x.idB, LocalAuth: x.aShows, RemoteAuth: x.aWants,
		LocalRounds: x.aMore, RemoteRounds: x.bMore, Proposals: []string{x.ike},
		Children: []peer.Child{{Name: x.name, Proposals: []string{x.esp}, LocalTS: nets(w.p.A), RemoteTS: nets(w.p.B), StartAction: x.start}}}
	w.a.Connections = append(w.a.Connections, c)
	c.Local, c.Remote, c.LocalID, c.RemoteID = c.Remote, c.Local, x.idB, x.idA
	c.LocalAuth, c.RemoteAuth, c.LocalRounds, c.RemoteRounds = x.bShows, x.bWants, x.bMore, x.aMore
	c.Children = []peer.Child{{Name: x.name, Proposals: []string{x.esp}, LocalTS: nets(w.p.B), RemoteTS: nets(w.p.A)}}
	w.b.Connections = append(w.b.Connections, c)
}

// nets are the networks behind a gateway.
func nets(s *lab.Site) []string { return []string{s.Net4.String(), s.Net6.String()} }

// run starts both.
func (w *certWorld) run() {
	w.t.Helper()
	w.p.a, w.p.b = peer.New(w.t, peer.KindEsplanade, w.p.A, w.a), peer.New(w.t, peer.KindStrongSwan, w.p.B, w.b)
	w.p.start(w.t)
}

// lay makes the network.
func (w *certWorld) lay(needs ...string) *certWorld {
	w.t.Helper()
	lab.NeedRoot(w.t, append(peer.Programs(peer.KindEsplanade, peer.KindStrongSwan), needs...)...)
	w.p = &pair{Lab: lab.New(w.t, lab.Options{})}
	return w
}

// from is what an end has logged since.
func since(end peer.Peer) func() string {
	n := len(end.Log())
	return func() string { return end.Log()[n:] }
}

// up brings a connection up from one end, sees traffic both ways, and takes it down. wantA and wantB are patterns that the log
// of each end must have, or, with "!" before them, must not.
func (w *certWorld) up(t *testing.T, name string, initiator peer.Peer, wantA, wantB []string) {
	t.Helper()
	logA, logB := since(w.p.a), since(w.p.b)
	if out, err := peer.Initiate(initiator, name); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := w.p.wantUp(t, 10*time.Second)
	if s.childA.Name != name && s.childB.Name != name {
		t.Errorf("the child is %q, want %q", s.childA.Name, name)
	}
	a, b := w.p.ends(false)
	w.p.wantPingTo(t, a, b)
	w.p.wantPingTo(t, b, a)
	for _, end := range []struct {
		who  string
		log  string
		want []string
	}{{"Esplanade", logA(), wantA}, {"strongSwan", logB(), wantB}} {
		for _, x := range end.want {
			if x, not := strings.CutPrefix(x, "!"); regexp.MustCompile(x).MatchString(end.log) == not {
				t.Errorf("the log of %s: %q, want that: %t:\n%s", end.who, x, !not, end.log)
			}
		}
	}
	w.down(t)
}

// down ends what is up.
func (w *certWorld) down(t *testing.T) {
	t.Helper()
	sas, err := peer.SAs(w.p.a)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sas {
		if out, err := peer.Swanctl(w.p.a, "--terminate", "--ike-id", s.UniqueID, "--timeout", "10"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	w.p.wantNoState(t, 10*time.Second)
}

// bothRoles brings a connection up from each end.
func (w *certWorld) bothRoles(t *testing.T, name string, wantA, wantB []string) {
	t.Helper()
	for _, end := range w.p.peers() {
		t.Run("initiator "+end.Kind(), func(t *testing.T) { w.up(t, name, end, wantA, wantB) })
	}
}

// signedBy is what strongSwan logs of a peer's signature, and of its own.
func signedBy(peerScheme, ownScheme string) []string {
	return []string{`authentication of '.*\.a\.example' with ` + peerScheme + `(_SALT_\d+)? successful`, `authentication of '.*\.b\.example' \(myself\) with ` + ownScheme}
}

// TestCertificates: tunnels whose ends prove who they are by signatures, in both roles with strongSwan, with traffic: every kind of key, chains
// that are sent and chains that are known, one way a certificate and the other a pre-shared key, raw public keys, and messages that are
// larger than the path.
func TestCertificates(t *testing.T) {
	t.Parallel()
	w := newCertWorld(t).lay()
	type wanted struct{ a, b []string }
	wants := map[string]wanted{}
	var order []string
	add := func(x way, a, b []string) {
		w.add(x)
		wants[x.name] = wanted{a, b}
		order = append(order, x.name)
	}
	for _, k := range []struct{ name, kind, scheme, own, peer string }{
		{"pkcs1", "rsa", "rsa-sha256", "RSA_EMSA_PKCS1_SHA2_256", "RSA_EMSA_(PKCS1|PSS)_SHA2_(256|384|512)"},
		{"pss", "rsa", "rsa/pss-sha256", "RSA_EMSA_PSS_SHA2_256", "RSA_EMSA_PSS_SHA2_(256|384|512)"},
		{"p256", "p256", "", "ECDSA_WITH_SHA256_DER", "ECDSA_WITH_SHA256_DER"},
		{"p384", "p384", "", "ECDSA_WITH_SHA384_DER", "ECDSA_WITH_SHA384_DER"},
		{"p521", "p521", "", "ECDSA_WITH_SHA512_DER", "ECDSA_WITH_SHA512_DER"},
		{"ed25519", "ed25519", "", "ED25519", "ED25519"},
	} {
		x := way{name: k.name}
		a, b := x.names()
		x.aShows = w.showing(&w.a, k.name+"-a", w.root.issue(a, k.kind))
		x.bShows = w.showing(&w.b, k.name+"-b", w.root.issue(b, k.kind))
		x.bShows.Scheme = k.scheme
		add(x, nil, signedBy(k.peer, k.own))
	}

	// A chain with two CAs below the root. Sent: each end has the root only. In the store: the one that proves itself sends its own
	// certificate only, and the other end has the CAs.
	one := newCA(t, "Intermediate One", w.root)
	two := newCA(t, "Intermediate Two", one)
	x := way{name: "chain-sent"}
	a, b := x.names()
	x.aShows = w.showing(&w.a, "chain-sent-a", two.issue(a, "p256"), two.cert, one.cert)
	x.bShows = w.showing(&w.b, "chain-sent-b", two.issue(b, "p256"), two.cert, one.cert)
	add(x, nil, []string{`received issuer cert .*Intermediate Two`, `received issuer cert .*Intermediate One`, `sending issuer cert .*Intermediate Two`})

	x = way{name: "chain-known"}
	a, b = x.names()
	aOne := newCA(t, "A's One", w.root)
	aTwo := newCA(t, "A's Two", aOne)
	bOne := newCA(t, "B's One", w.root)
	bTwo := newCA(t, "B's Two", bOne)
	x.aShows, x.bShows = w.showing(&w.a, "chain-known-a", aTwo.issue(a, "p256")), w.showing(&w.b, "chain-known-b", bTwo.issue(b, "p256"))
	w.a.Files = append(w.a.Files, peer.File{Kind: peer.X509Between, Name: "b.pem", Data: pemOf(bOne.cert, bTwo.cert)})
	w.b.Files = append(w.b.Files, aOne.file("a-one"), aTwo.file("a-two"))
	add(x, nil, append(signedBy("ECDSA_WITH_SHA256_DER", "ECDSA_WITH_SHA256_DER"), `!received issuer cert`, `!sending issuer cert`))

	// One way a certificate, the other way a pre-shared key.
	x = way{name: "psk-one-way", aShows: peer.Auth{Method: "psk"}, bWants: peer.Auth{Method: "psk"}}
	a, b = x.names()
	add(x, nil, []string{`authentication of '` + a + `' with pre-shared key successful`, `authentication of '` + b + `' \(myself\) with ECDSA`})
	x2 := way{name: "psk-other-way", bShows: peer.Auth{Method: "psk"}, aWants: peer.Auth{Method: "psk"}}
	a2, b2 := x2.names()
	add(x2, nil, []string{`authentication of '` + a2 + `' with ECDSA_WITH_SHA256_DER successful`, `authentication of '` + b2 + `' \(myself\) with pre-shared key`})
	secrets := []peer.Secret{{IDs: []string{a, b}, Key: psk}, {IDs: []string{a2, b2}, Key: psk}}

	// Two rounds of authentication, of one side and of both: the machine by its certificate, then a name by a pre-shared key.
	for _, x := range []way{
		{name: "rounds-a", aMore: []peer.Auth{{ID: "user.a.example"}}}, {name: "rounds-b", bMore: []peer.Auth{{ID: "user.b.example"}}},
		{name: "rounds-both", aMore: []peer.Auth{{ID: "user2.a.example"}}, bMore: []peer.Auth{{ID: "user2.b.example"}}},
	} {
		a, b := x.names()
		ids := []string{a, b}
		seen := signedBy("ECDSA_WITH_SHA256_DER", "ECDSA_WITH_SHA256_DER")
		for _, m := range x.aMore {
			ids = append(ids, m.ID)
			seen = append(seen, `authentication of '`+m.ID+`' with pre-shared key successful`)
		}
		for _, m := range x.bMore {
			ids = append(ids, m.ID)
			seen = append(seen, `authentication of '`+m.ID+`' \(myself\) with pre-shared key`)
		}
		secrets = append(secrets, peer.Secret{IDs: ids, Key: psk + x.name})
		add(x, nil, seen)
	}
	w.a.Secrets, w.b.Secrets = secrets, secrets

	// Raw public keys, without any certificate.
	x = way{name: "raw"}
	la, lb := leaf{key: newKey(t, "p256")}, leaf{key: newKey(t, "ed25519")}
	for _, g := range []struct {
		g   *peer.Gateway
		own leaf
	}{{&w.a, la}, {&w.b, lb}} {
		g.g.Files = append(g.g.Files, peer.File{Kind: peer.Private, Name: "raw.key", Data: g.own.keyPEM(t)},
			peer.File{Kind: peer.PubKeys, Name: "raw-a.pem", Data: la.publicPEM(t)}, peer.File{Kind: peer.PubKeys, Name: "raw-b.pem", Data: lb.publicPEM(t)})
	}
	x.aShows, x.bShows = peer.Auth{Method: "pubkey", Pubkeys: []string{"raw-a.pem"}}, peer.Auth{Method: "pubkey", Pubkeys: []string{"raw-b.pem"}}
	x.aWants, x.bWants = x.bShows, x.aShows
	add(x, nil, signedBy("ECDSA_WITH_SHA256_DER", "ED25519"))

	// A chain that no path takes in one packet.
	x = way{name: "large"}
	a, b = x.names()
	x.aShows = w.showing(&w.a, "large-a", two.issue(a, "rsa", padded(3000)), two.cert, one.cert)
	x.bShows = w.showing(&w.b, "large-b", two.issue(b, "rsa", padded(3000)), two.cert, one.cert)
	add(x, nil, []string{`received fragment #[34] of [4-9]`, `splitting IKE message .* into [4-9] fragments`})

	// What people copy from articles.
	x = way{name: "sample", idA: "CN=site-a", idB: "CN=site-b", ike: "aes256-sha384-modp3072", esp: "aes256gcm16-modp3072", start: "trap"}
	subject := func(cn string) maker {
		return func(c *x509.Certificate) { c.Subject.CommonName, c.DNSNames = cn, nil }
	}
	x.aShows = w.showing(&w.a, "my-cert", w.root.issue("", "rsa", subject("site-a")))
	x.bShows = w.showing(&w.b, "my-cert", w.root.issue("", "rsa", subject("site-b")))
	w.add(x)

	w.run()
	for _, name := range order {
		t.Run(name, func(t *testing.T) { w.bothRoles(t, name, wants[name].a, wants[name].b) })
	}
	t.Run("sample", func(t *testing.T) {
		// The trap: the first packet brings it up, and is delivered.
		p, q := w.p.ends(false)
		r, err := lab.Ping(p, q, lab.PingOptions{Patience: 10 * time.Second})
		if err != nil || r.Received != 1 {
			t.Fatalf("%v, %v", r, err)
		}
		s := w.p.wantUp(t, 5*time.Second)
		if s.ikeA.LocalID != "CN=site-a" || s.ikeA.RemoteID != "CN=site-b" || s.ikeA.DH != "MODP_3072" || !strings.Contains(s.childA.Encr, "AES_GCM_16") {
			t.Errorf("%+v", s.ikeA)
		}
		w.down(t)
		w.up(t, "sample", w.p.b, nil, []string{`authentication of 'CN=site-a' with RSA_EMSA_`})
	})
}
