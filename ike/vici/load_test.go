package vici

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// What loads, with every check of a request: what the backend gets, or what the client is told.
func TestLoad(t *testing.T) {
	b := newFake()
	_, path := startServer(t, b, Options{})
	c := dial(t, path)
	set := func(kv ...string) *Message {
		m := new(Message)
		for i := 0; i < len(kv); i += 2 {
			m.Set(kv[i], kv[i+1])
		}
		return m
	}
	section := func(name string) *Message {
		m := new(Message)
		m.Sub(name).Set("a", "b")
		return m
	}
	two := section("office")
	two.Sub("lab")
	shared := func(owners ...string) *Message {
		return set("id", "x", "type", "ike", "data", "s").SetList("owners", owners...)
	}
	long := strings.Repeat("x", 256)
	pool := new(Message)
	pool.Sub("p").Set("addrs", "10.1.0.0/24")
	for _, tc := range []struct {
		cmd  string
		req  *Message
		call string // what the backend gets; "" for nothing
		want string // errmsg, or "" for success
	}{
		{"load-conn", section("office"), `load-conn "office" a=b`, ""},
		{"load-conn", two, `load-conn "office" a=b; load-conn "lab" `, ""},
		{"load-conn", nil, "", "missing connection: the request has no section"},
		{"load-conn", set("name", "office"), "", "missing connection: the request has no section"},
		{"load-conn", section(""), "", "connection name is empty"},
		{"load-conn", section("a\nb"), "", "connection name is not printable"},
		{"load-conn", section("a\xff"), "", "connection name is not printable"},
		{"load-conn", section("Bäckerei"), `load-conn "Bäckerei" a=b`, ""},
		{"unload-conn", set("name", "office"), `unload-conn "office"`, ""},
		{"unload-conn", nil, "", "unload: missing connection name"},
		{"unload-conn", set("name", long), "", "name has 256 bytes, at most 255 are possible"},
		{"load-authority", section("ca"), `load-authority "ca" a=b`, ""},
		{"load-authority", nil, "", "missing authority: the request has no section"},
		{"unload-authority", set("name", "ca"), `unload-authority "ca"`, ""},
		{"unload-authority", nil, "", "unload: missing authority name"},
		{"load-pool", pool, `load-pool "p" addrs=10.1.0.0/24`, ""},
		{"load-pool", section("p"), "", "missing addrs for pool 'p'"},
		{"load-pool", nil, "", "missing pool: the request has no section"},
		{"unload-pool", set("name", "p"), `unload-pool "p"`, ""},
		{"unload-pool", nil, "", "missing pool name to unload"},

		{"load-cert", set("type", "X509", "data", "x"), `load-cert X509 NONE "x"`, ""},
		{"load-cert", set("type", "x509", "flag", "ca", "data", "x"), `load-cert X509 CA "x"`, ""},
		{"load-cert", set("type", "X509", "flag", "OCSP", "data", "\x30\x00\xff"), `load-cert X509 OCSP "0\x00\xff"`, ""},
		{"load-cert", set("type", "x509ca", "data", "x"), `load-cert X509 CA "x"`, ""},
		{"load-cert", set("type", "x509aa", "data", "x"), `load-cert X509 AA "x"`, ""},
		{"load-cert", set("type", "x509ocsp", "data", "x"), `load-cert X509 OCSP "x"`, ""},
		{"load-cert", set("type", "x509ac", "data", "x"), `load-cert X509_AC  "x"`, ""},
		{"load-cert", set("type", "x509crl", "data", "x"), `load-cert X509_CRL  "x"`, ""},
		{"load-cert", set("type", "X509_CRL", "flag", "nonsense", "data", "x"), `load-cert X509_CRL  "x"`, ""},
		{"load-cert", set("type", "PUBKEY", "data", "x"), `load-cert PUBKEY  "x"`, ""},
		{"load-cert", set("data", "x"), "", "certificate type missing"},
		{"load-cert", set("type", "ANY", "data", "x"), "", "invalid certificate type 'ANY'"},
		{"load-cert", set("type", "PGP", "data", "x"), "", "invalid certificate type 'PGP'"},
		{"load-cert", set("type", "X509", "flag", "root", "data", "x"), "", "invalid certificate flag 'root'"},
		{"load-cert", set("type", "X509", "flag", "ANY", "data", "x"), `load-cert X509 NONE "x"`, ""},
		{"load-cert", set("type", "X509"), "", "certificate data missing"},

		{"load-key", set("type", "RSA", "data", "x"), `load-key rsa "x"`, ""},
		{"load-key", set("type", "any", "data", "\x00"), `load-key any "\x00"`, ""},
		{"load-key", set("data", "x"), "", "key type missing"},
		{"load-key", set("type", "x25519", "data", "x"), "", "invalid key type: x25519"},
		{"load-key", set("type", "rsa"), "", "key data missing"},
		{"unload-key", set("id", "C0:FF:EE"), `unload-key "c0ffee"`, ""},
		{"unload-key", set("id", "0xabc"), `unload-key "0abc"`, ""},
		{"unload-key", nil, "", "key id missing"},
		{"unload-key", set("id", "xyz"), "", "id is no hex of at most 64 bytes"},
		{"unload-key", set("id", strings.Repeat("0", 129)), "", "id is no hex of at most 64 bytes"},

		{"load-token", set("handle", "00", "slot", "1", "module", "m", "pin", "p"), "load-token (redacted)", "there is no such token"},
		{"load-token", set("handle", "01"), "load-token (redacted)", ""},
		{"load-token", nil, "", "keyid missing"},
		{"load-token", set("handle", "01", "slot", "x"), "", `slot: "x" is not a number from -1 to 4294967295`},
		{"load-token", set("handle", "01", "module", "\x01"), "", "module is not printable"},

		{"load-shared", shared(), `load-shared "x" IKE "s" []`, ""},
		{"load-shared", shared("a.example", "C=CH, CN=b", "Bäckerei"), `load-shared "x" IKE "s" ["a.example" "C=CH, CN=b" "Bäckerei"]`, ""},
		{"load-shared", set("type", "Eap", "data", "\x00\xff"), `load-shared "" EAP "\x00\xff" []`, ""},
		{"load-shared", set("type", "XAUTH", "data", "x"), `load-shared "" XAUTH "x" []`, ""},
		{"load-shared", set("type", "ntlm", "data", "x"), `load-shared "" NTLM "x" []`, ""},
		{"load-shared", set("type", "PPK", "data", "x"), `load-shared "" PPK "x" []`, ""},
		{"load-shared", set("data", "x"), "", "shared key type missing"},
		{"load-shared", set("type", "PIN", "data", "x"), "", "invalid shared key type: PIN"},
		{"load-shared", set("type", "IKE"), "", "shared key data missing"},
		{"load-shared", set("type", "IKE", "data", "x", "id", "\x7f"), "", "id is not printable"},
		{"load-shared", shared("a", ""), "", "parsing shared key owners failed: an owner is empty"},
		{"load-shared", shared("a\x00"), "", "parsing shared key owners failed: an owner is not printable"},
		{"load-shared", shared(long), "", "parsing shared key owners failed: an owner has 256 bytes, at most 255 are possible"},
		{"load-shared", shared(strings.Split(strings.Repeat("x,", 256)+"x", ",")...), "", "parsing shared key owners failed: 257 of them, at most 256 are possible"},
		{"unload-shared", set("id", "ike-1"), `unload-shared "ike-1"`, ""},
		{"unload-shared", nil, "", "unique identifier missing"},

		{"clear-creds", nil, "clear-creds", ""},
		{"flush-certs", nil, `flush-certs ""`, ""},
		{"flush-certs", set("type", "any"), `flush-certs ""`, ""},
		{"flush-certs", set("type", "x509_crl"), `flush-certs "X509_CRL"`, ""},
		{"flush-certs", set("type", "x"), "", "invalid certificate type 'x'"},
		{"list-certs", nil, "list-certs {Type: Flag: Subject:}", ""},
		{"list-certs", set("type", "x509", "flag", "ca", "subject", "CN=a"), "list-certs {Type:X509 Flag:CA Subject:CN=a}", ""},
		{"list-certs", set("type", "any", "flag", "ca"), "list-certs {Type: Flag: Subject:}", ""},
		{"list-certs", set("type", "x509aa"), "list-certs {Type:X509 Flag:AA Subject:}", ""},
		{"list-certs", set("type", "OCSP_RESPONSE"), "list-certs {Type:OCSP_RESPONSE Flag: Subject:}", ""},
		{"list-certs", set("type", "x"), "", "invalid certificate type 'x'"},
		{"list-certs", set("type", "x509", "flag", "x"), "", "invalid certificate flag 'x'"},
		{"list-authorities", set("name", "a"), `list-authorities "a"`, ""},
	} {
		b.took()
		m, err := c.Call(t.Context(), tc.cmd, tc.req)
		if calls := strings.Join(b.took(), "; "); calls != tc.call {
			t.Errorf("%s %.80s: the backend got %s, want %s", tc.cmd, tc.req, calls, tc.call)
		}
		if tc.want == "" {
			if err != nil || strings.HasPrefix(tc.cmd, "list-") != (m.Len() == 0) || m.Len() > 0 && m.Get("success") != "yes" {
				t.Errorf("%s %.80s: %v, %v", tc.cmd, tc.req, m, err)
			}
			continue
		}
		var ce *CommandError
		if !errors.As(err, &ce) || ce.Message != tc.want || m.Get("success") != "no" {
			t.Errorf("%s %.80s: %v, %v; want %s", tc.cmd, tc.req, m, err, tc.want)
		}
	}
}

// What the daemon answers: ids, lists, and its errors, from every command.
func TestLoadAnswers(t *testing.T) {
	b := newFake()
	_, path := startServer(t, b, Options{})
	c := dial(t, path)
	requests := map[string]*Message{
		"load-key":         new(Message).Set("type", "any").Set("data", "x"),
		"load-token":       new(Message).Set("handle", "01"),
		"get-keys":         nil,
		"get-shared":       nil,
		"get-authorities":  nil,
		"load-conn":        new(Message),
		"load-authority":   new(Message),
		"load-pool":        new(Message),
		"load-cert":        new(Message).Set("type", "X509").Set("data", "x"),
		"load-shared":      new(Message).Set("type", "IKE").Set("data", "x"),
		"unload-conn":      new(Message).Set("name", "x"),
		"unload-authority": new(Message).Set("name", "x"),
		"unload-pool":      new(Message).Set("name", "x"),
		"unload-key":       new(Message).Set("id", "00"),
		"unload-shared":    new(Message).Set("id", "x"),
		"clear-creds":      nil,
		"flush-certs":      nil,
		"list-certs":       nil,
		"list-authorities": nil,
	}
	for _, cmd := range []string{"load-conn", "load-authority", "load-pool"} {
		requests[cmd].Sub("x").Set("addrs", "x")
	}
	for cmd, want := range map[string]string{
		"load-key": "success=yes id=c0ffee", "load-token": "success=yes id=c0ffee", "get-keys": "keys=[c0ffee decade]", "get-shared": "keys=[ike-1 eap-2]",
		"get-authorities": "authorities=[strongswan]", "load-cert": "success=yes", "clear-creds": "success=yes",
	} {
		if m, err := c.Call(t.Context(), cmd, requests[cmd]); err != nil || m.String() != want {
			t.Errorf("%s: %v, %v, want %s", cmd, m, err, want)
		}
	}
	b.set(func() { b.err = errors.New("not today") })
	for cmd, req := range requests {
		if m, err := c.Call(t.Context(), cmd, req); err == nil || m.String() != "success=no errmsg=not today" {
			t.Errorf("%s: %v, %v", cmd, m, err)
		}
	}
}

// Names come back as they were loaded, as many as fit: what is cut, or reduced to ASCII, could not be unloaded.
func TestNamesComeBack(t *testing.T) {
	b := &manyNames{fakeBackend: newFake()}
	_, path := startServer(t, b, Options{})
	c := dial(t, path)
	b.names = []string{"Bäckerei", "a b"}
	if m, err := c.Call(t.Context(), "get-conns", nil); err != nil || !slices.Equal(m.List("conns"), b.names) {
		t.Errorf("%v, %v", m, err)
	}
	b.names = slices.Repeat([]string{strings.Repeat("x", 100)}, 10000)
	m, err := c.Call(t.Context(), "get-conns", nil)
	if n := len(m.List("conns")); err != nil || n < 5000 || n >= 10000 || !slices.Equal(m.List("conns"), b.names[:n]) {
		t.Errorf("%d names, %v", n, err)
	}
}

type manyNames struct {
	*fakeBackend
	names []string
}

func (b *manyNames) GetConns(context.Context, bool) ([]string, error) { return b.names, nil }

// A certificate arrives octet by octet, though text is reduced to ASCII; one that does not fit a value is left out.
func TestListCerts(t *testing.T) {
	b := newFake()
	_, path := startServer(t, &longCerts{b}, Options{})
	c := dial(t, path)
	var got []*Message
	if _, err := c.Stream(t.Context(), "list-certs", EventListCert, nil, func(m *Message) error { got = append(got, m); return nil }); err != nil {
		t.Fatal(err)
	}
	key := new(Message).Set("type", "PUBKEY").Set("data", "\x30\x01\x00").Set("subject", "site-b.example").
		Set("not-before", "20260504100203Z").Set("not-after", "20260504110203Z")
	want := []*Message{new(Message).Set("type", "X509").Set("flag", "NONE").Set("has_privkey", "yes").Set("data", "\x30\x03\x00\xff\x80"), key,
		new(Message).Set("type", "X509_CRL").Set("data", strings.Repeat("\xff", MaxValue))}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %.500q", fmt.Sprint(got))
	}
}

// longCerts lists two more certificates, of which the second fits no value.
type longCerts struct{ *fakeBackend }

func (b longCerts) ListCerts(ctx context.Context, f CertFilter, yield func(Cert) error) error {
	if err := b.fakeBackend.ListCerts(ctx, f, yield); err != nil {
		return err
	}
	for _, n := range []int{MaxValue, MaxValue + 1} {
		if err := yield(Cert{Type: CertX509CRL, DER: bytes.Repeat([]byte{0xff}, n)}); err != nil {
			return err
		}
	}
	return nil
}

// No way of printing shows a secret.
func TestSecretsArePrintedNowhere(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{Shared{ID: "x", Data: []byte("hush"), Owners: []string{"hush"}}, Token{PIN: "hush"}} {
		log.Info("loaded", "what", v, "list", []any{v})
		fmt.Fprintf(&out, "%v %+v %#v %s %q %x %v", v, v, v, v, v, v, []any{v})
		b, err := json.Marshal(map[string]any{"x": v})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	if s := out.String(); strings.Contains(s, "hush") || strings.Contains(s, "68757368") || !strings.Contains(s, redactedText) {
		t.Error(s)
	}
}

// TestUpdownForRoot: whoever may use the socket, and is neither root nor the daemon's own user, loads no command, wherever it stands in the
// connection. On this system, where it is known who is at the other end, the daemon's own user does.
func TestUpdownForRoot(t *testing.T) {
	own := new(Message)
	own.Sub("office").Set("updown", "/bin/true")
	lone := new(Message)
	lone.Sub("office").SetList("updown", "/bin/true")
	child := new(Message)
	child.Sub("lab").Set("a", "b")
	child.Sub("office").Sub("children").Sub("net").Set("updown", "/bin/true")
	none := new(Message)
	none.Sub("office").Sub("children").Sub("net").Set("updown", "")

	b := newFake()
	l, err := net.Listen("tcp", "127.0.0.1:0") // which says nothing about who is at the other end
	if err != nil {
		t.Fatal(err)
	}
	serve(t, NewServer(b, Options{}), l)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	stranger := NewClient(conn)
	defer stranger.Close()
	for _, req := range []*Message{own, lone, child} {
		if _, err := stranger.Call(t.Context(), "load-conn", req); err == nil || !strings.Contains(err.Error(), "only root and the daemon's own user load it") {
			t.Errorf("%s: %v", req, err)
		}
	}
	if calls := b.took(); len(calls) > 0 {
		t.Errorf("the daemon got %v", calls)
	}
	if _, err := stranger.Call(t.Context(), "load-conn", none); err != nil {
		t.Errorf("without a command: %v", err)
	}
	if _, known := peerUser(conn); known || runtime.GOOS != "linux" {
		return
	}
	_, path := startServer(t, b, Options{})
	for _, req := range []*Message{own, child} {
		if _, err := dial(t, path).Call(t.Context(), "load-conn", req); err != nil {
			t.Errorf("the daemon's own user: %v", err)
		}
	}
}
