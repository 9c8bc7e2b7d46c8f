package config

import "testing"

// TestCredentialsChangeWhatTheyProve: another certificate or key leaves connections what they are, of which those with a pre-shared key are not looked at
// again; what proves a connection with public keys is another, and it alone is told apart where its own identity comes from a certificate.
func TestCredentialsChangeWhatTheyProve(t *testing.T) {
	file, err := Parse("gw.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	conn := func(name, auth string) Section {
		s := section(name, "remote_addrs", "192.0.2.9")
		l := s.Table.AddSection("local")
		l.AddText("auth", auth)
		r := s.Table.AddSection("remote")
		r.AddText("auth", auth)
		r.AddText("id", name+".example")
		if name != "named" {
			l.AddText("id", "gw.example")
		}
		s.Table.AddSection("children").AddSection("net").AddText("remote_ts", "10.9.0.0/16")
		return s
	}
	var l *Loaded
	for _, s := range []Section{conn("shared", "psk"), conn("proved", "pubkey"), conn("named", "pubkey")} {
		if l, err = l.WithConnection(s); err != nil {
			t.Fatal(err)
		}
	}
	before, errs := file.With(l)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	own := newWorld(t).issue(nil, "gw", nil, names("gw.example"))
	if l, err = l.WithCertificate(Certificate{Type: TypeX509, Flag: FlagNone, Data: own.cert.Raw}); err != nil {
		t.Fatal(err)
	}
	if l, _, err = l.WithKey([]byte(own.keyPEM(t)), nil, Position{File: OriginVICI}); err != nil {
		t.Fatal(err)
	}
	after, errs := before.With(l)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	a, _ := before.parts.find("shared")
	if b, _ := after.parts.find("shared"); a != b {
		t.Error("a connection with a pre-shared key was made again")
	}
	if before.Connection("proved") != after.Connection("proved") {
		t.Error("a connection whose identities are configured is another one")
	}
	if len(before.Set.Own("proved", 0)) != 0 || len(after.Set.Own("proved", 0)) != 1 {
		t.Errorf("it is proved by %v, before by %v", after.Set.Own("proved", 0), before.Set.Own("proved", 0))
	}
	if diff, all := after.Differences(before); all || len(diff) != 1 || diff[0] != "named" {
		t.Errorf("differences are %v, %v", diff, all)
	}
}
