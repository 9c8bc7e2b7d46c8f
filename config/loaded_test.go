package config

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"esplanade/config/tree"
)

func section(name string, keys ...string) Section {
	t := tree.New(OriginVICI)
	for i := 0; i < len(keys); i += 2 {
		t.AddText(keys[i], keys[i+1])
	}
	return Section{Name: name, At: Position{File: OriginVICI}, Table: t}
}

// TestLoadedIsAValue: what was made of it before does not change with it, the order of loading stays, and to take away what was added gives
// what was.
func TestLoadedIsAValue(t *testing.T) {
	const seed = 20261130
	r := rand.New(rand.NewPCG(seed, 1))
	type state struct {
		l     *Loaded
		names []string
	}
	states := []state{{}}
	for range 2000 {
		s := states[r.IntN(len(states))]
		name := string(rune('a' + r.IntN(26)))
		next := state{names: slices.Clone(s.names)}
		at := slices.Index(s.names, name)
		if r.IntN(2) == 0 {
			var err error
			if next.l, err = s.l.WithConnection(section(name, "version", string(rune('0'+r.IntN(3))))); err != nil {
				t.Fatal(err)
			}
			if at < 0 {
				next.names = append(next.names, name)
				if back, ok := next.l.WithoutConnection(name); !ok || !slices.Equal(back.Connections(), s.names) {
					t.Fatalf("%v without %s is %v", next.names, name, back.Connections())
				}
			}
		} else {
			var ok bool
			if next.l, ok = s.l.WithoutConnection(name); ok != (at >= 0) {
				t.Fatalf("%v without %s: %v", s.names, name, ok)
			}
			if ok {
				next.names = slices.Delete(next.names, at, at+1)
			}
		}
		states = append(states, next)
	}
	for _, s := range states {
		if got := s.l.Connections(); !slices.Equal(got, s.names) {
			t.Fatalf("there is %v, and was loaded %v (seed %d)", got, s.names, seed)
		}
		for _, name := range s.names {
			if c := s.l.Connection(name); c == nil || c.Name != name {
				t.Fatalf("%s is %v (seed %d)", name, c, seed)
			}
		}
	}
}

// TestLoadedAgain: what is there already makes no other value, so that nothing has to be done about it.
func TestLoadedAgain(t *testing.T) {
	l, err := (*Loaded)(nil).WithConnection(section("a", "version", "2"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := l.WithConnection(section("a", "version", "2")); err != nil || again != l {
		t.Errorf("the same connection makes another value, %v", err)
	}
	if other, err := l.WithConnection(section("a", "version", "0")); err != nil || other == l {
		t.Errorf("another connection makes the same value, %v", err)
	}
	secret := Shared{ID: "ike-1", Kind: "IKE", Data: NewSecret([]byte("7Hq2vXw9Lk4Tz8")), Owners: []string{"gw.example", "%any"}}
	l, err = l.WithShared(secret)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := l.WithShared(secret); err != nil || again != l {
		t.Errorf("the same secret makes another value, %v", err)
	}
	secret.Data = NewSecret([]byte("7Hq2vXw9Lk4Tz9"))
	if other, err := l.WithShared(secret); err != nil || other == l {
		t.Errorf("another secret makes the same value, %v", err)
	}
	secret.ID = ""
	l, _ = l.WithShared(secret)
	if again, err := l.WithShared(secret); err != nil || again != l || !slices.Equal(l.SharedIDs(), []string{"ike-1"}) {
		t.Errorf("a secret without an id twice: %v, %v", again.SharedIDs(), err)
	}
	if empty := l.WithoutCredentials(); len(empty.SharedIDs()) != 0 || len(empty.Connections()) != 1 {
		t.Errorf("without credentials: %v %v", empty.SharedIDs(), empty.Connections())
	}
}

// TestSharedErrors: no error has anything of a secret in it.
func TestSharedErrors(t *testing.T) {
	const secret = "zRkW"
	for _, tt := range []struct {
		s    Shared
		want string
	}{
		{Shared{ID: "a", Kind: "xauth"}, "IKEv1"},
		{Shared{ID: "a", Kind: "pin"}, `"pin" is no kind of secret`},
		{Shared{ID: "a", Kind: "ntlm"}, "must have 16"},
		{Shared{ID: "a", Kind: "ike", Owners: []string{"C=,="}}, `the ike secret "a": `},
		{Shared{ID: strings.Repeat("a", maxLoadedName+1), Kind: "ike"}, "at most"},
		{Shared{ID: "a", Kind: "ppk", Owners: make([]string, maxOwners+1)}, "owners"},
	} {
		tt.s.Data = NewSecret([]byte(secret))
		if _, err := (*Loaded)(nil).WithShared(tt.s); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%v, want one with %q", err, tt.want)
		}
	}
	for _, tt := range []struct {
		data Secret
		want string
	}{{Secret{}, "is empty"}, {NewSecret(make([]byte, maxSecret+1)), "is the most"}} {
		if _, err := (*Loaded)(nil).WithShared(Shared{ID: "a", Kind: "ike", Data: tt.data}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want one with %q", err, tt.want)
		}
	}
}

// TestLoadedIsBounded: there is a limit to what a command can have kept.
func TestLoadedIsBounded(t *testing.T) {
	var l *Loaded
	for i := range maxLoadedPools + 1 {
		out, err := l.WithPool(section(strings.Repeat("x", i%7) + string(rune(0x4e00+i))))
		if i == maxLoadedPools {
			if err == nil || out != l {
				t.Error("there is no limit")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		l = out
	}
}

// TestWithClash: what the file has stays, and the load is refused.
func TestWithClash(t *testing.T) {
	file, err := Parse("x.toml", []byte(viciHead))
	if err != nil {
		t.Fatal(err)
	}
	l, err := (*Loaded)(nil).WithConnection(section("other"))
	if err != nil {
		t.Fatal(err)
	}
	c, errs := file.With(l)
	if want := `VICI: the configuration file has the connection "other" already (x.toml:1); `; len(errs) != 1 || !strings.HasPrefix(errs[0].String(), want) {
		t.Errorf("%v, want %s", errs, want)
	}
	if c.Connection("other") != file.Connection("other") {
		t.Error("it is another one now")
	}
	if !errors.As(error(errs), new(Errors)) {
		t.Error("no Errors")
	}
	if back, errs := c.With(nil); back != file || len(errs) > 0 {
		t.Errorf("with nothing it is not the file: %v", errs)
	}
}

// TestLoadedWithoutItsKey: what has come of a folder of swanctl, or of swanctl itself, is told in its words where a private key belongs.
func TestLoadedWithoutItsKey(t *testing.T) {
	w := usersWorld(t)
	pem, err := os.ReadFile(filepath.Join(w.dir, "gw.pem"))
	if err != nil {
		t.Fatal(err)
	}
	s := section("home", "remote_addrs", "192.0.2.1")
	s.Table.AddSection("local").AddText("certs", string(pem))
	l, err := new(Loaded).WithConnection(s)
	if err != nil {
		t.Fatal(err)
	}
	c, errs := w.good("").With(l)
	const want = `VICI: connections.home.local.certs: "VICI" is the certificate of "CN=gw", and there is no private key for it; put it into the folder private of swanctl`
	if len(errs) > 0 || !strings.Contains(Errors(c.Warnings).Error(), want) {
		t.Errorf("%v, %v, want %s", errs, c.Warnings, want)
	}
}
