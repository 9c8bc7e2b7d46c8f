package vici

import (
	"context"
	"errors"
	"time"
)

func (b *fakeBackend) LoadConn(_ context.Context, name string, section *Message) error {
	b.note("load-conn %q %v", name, section)
	return b.fail()
}

func (b *fakeBackend) UnloadConn(_ context.Context, name string) error {
	b.note("unload-conn %q", name)
	return b.fail()
}

func (b *fakeBackend) LoadCert(_ context.Context, c LoadCert) error {
	b.note("load-cert %s %s %q", c.Type, c.Flag, c.Data)
	return b.fail()
}

func (b *fakeBackend) LoadKey(_ context.Context, kind string, data []byte) (string, error) {
	b.note("load-key %s %q", kind, data)
	return "c0ffee", b.fail()
}

func (b *fakeBackend) UnloadKey(_ context.Context, id string) error {
	b.note("unload-key %q", id)
	return b.fail()
}

func (b *fakeBackend) Keys(context.Context) ([]string, error) {
	return []string{"c0ffee", "decade"}, b.fail()
}

func (b *fakeBackend) LoadToken(_ context.Context, t Token) (string, error) {
	b.note("load-token %+v", t)
	if t.Handle == "00" {
		return "", errors.New("there is no such token")
	}
	return "c0ffee", b.fail()
}

func (b *fakeBackend) LoadShared(_ context.Context, s Shared) error {
	b.note("load-shared %q %s %q %q", s.ID, s.Type, s.Data, s.Owners)
	return b.fail()
}

func (b *fakeBackend) UnloadShared(_ context.Context, id string) error {
	b.note("unload-shared %q", id)
	return b.fail()
}

func (b *fakeBackend) SharedIDs(context.Context) ([]string, error) {
	return []string{"ike-1", "eap-2"}, b.fail()
}

func (b *fakeBackend) ClearCreds(context.Context) error {
	b.note("clear-creds")
	return b.fail()
}

func (b *fakeBackend) FlushCerts(_ context.Context, kind string) error {
	b.note("flush-certs %q", kind)
	return b.fail()
}

func (b *fakeBackend) LoadAuthority(_ context.Context, name string, section *Message) error {
	b.note("load-authority %q %v", name, section)
	return b.fail()
}

func (b *fakeBackend) UnloadAuthority(_ context.Context, name string) error {
	b.note("unload-authority %q", name)
	return b.fail()
}

func (b *fakeBackend) Authorities(context.Context) ([]string, error) {
	return []string{"strongswan"}, b.fail()
}

func (b *fakeBackend) LoadPool(_ context.Context, name string, section *Message) error {
	b.note("load-pool %q %v", name, section)
	return b.fail()
}

func (b *fakeBackend) UnloadPool(_ context.Context, name string) error {
	b.note("unload-pool %q", name)
	return b.fail()
}

func (b *fakeBackend) ListCerts(_ context.Context, f CertFilter, yield func(Cert) error) error {
	b.note("list-certs %+v", f)
	for _, c := range []Cert{
		{Type: CertX509, Flag: CertFlagNone, HasPrivateKey: true, DER: []byte{0x30, 0x03, 0x00, 0xff, 0x80}},
		{Type: CertPubkey, DER: []byte{0x30, 0x01, 0x00}, Subject: "site-b.example", NotBefore: testNow, NotAfter: testNow.Add(time.Hour)},
	} {
		if err := yield(c); err != nil {
			return err
		}
	}
	return b.fail()
}

func (b *fakeBackend) ListAuthorities(_ context.Context, name string, yield func(Authority) error) error {
	b.note("list-authorities %q", name)
	if err := yield(Authority{
		Name: "strongswan", CACert: "C=CH, O=strongSwan, CN=strongSwan Root CA", CRLURIs: []string{"http://crl.example/a.crl"}, CertURIBase: "http://certs.example/",
	}); err != nil {
		return err
	}
	return b.fail()
}
