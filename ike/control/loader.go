package control

import (
	"context"

	"esplanade/ike/diag"
	"esplanade/ike/vici"
)

// notYet is the answer to what cannot be loaded with a command.
func notYet(what string) error {
	return diag.NotOffered(diag.Where{}, "loading "+what+" with a command", "write it into the file of the configuration.")
}

// LoadConn implements vici.Loader.
func (b *Backend) LoadConn(context.Context, string, *vici.Message) error {
	return notYet("a connection")
}

// UnloadConn implements vici.Loader.
func (b *Backend) UnloadConn(context.Context, string) error { return notYet("a connection") }

// LoadCert implements vici.Loader.
func (b *Backend) LoadCert(context.Context, vici.LoadCert) error { return notYet("a certificate") }

// LoadKey implements vici.Loader.
func (b *Backend) LoadKey(context.Context, string, []byte) (string, error) {
	return "", notYet("a private key")
}

// UnloadKey implements vici.Loader.
func (b *Backend) UnloadKey(context.Context, string) error { return notYet("a private key") }

// Keys implements vici.Loader.
func (b *Backend) Keys(context.Context) ([]string, error) { return nil, nil }

// LoadToken implements vici.Loader.
func (b *Backend) LoadToken(context.Context, vici.Token) (string, error) {
	return "", notYet("the key of a token")
}

// LoadShared implements vici.Loader.
func (b *Backend) LoadShared(context.Context, vici.Shared) error { return notYet("a secret") }

// UnloadShared implements vici.Loader.
func (b *Backend) UnloadShared(context.Context, string) error { return notYet("a secret") }

// SharedIDs implements vici.Loader.
func (b *Backend) SharedIDs(context.Context) ([]string, error) { return nil, nil }

// ClearCreds implements vici.Loader.
func (b *Backend) ClearCreds(context.Context) error { return nil }

// FlushCerts implements vici.Loader.
func (b *Backend) FlushCerts(context.Context, string) error { return nil }

// LoadAuthority implements vici.Loader.
func (b *Backend) LoadAuthority(context.Context, string, *vici.Message) error {
	return notYet("a certification authority")
}

// UnloadAuthority implements vici.Loader.
func (b *Backend) UnloadAuthority(context.Context, string) error {
	return notYet("a certification authority")
}

// Authorities implements vici.Loader.
func (b *Backend) Authorities(context.Context) ([]string, error) { return nil, nil }

// LoadPool implements vici.Loader.
func (b *Backend) LoadPool(context.Context, string, *vici.Message) error { return notYet("a pool") }

// UnloadPool implements vici.Loader.
func (b *Backend) UnloadPool(context.Context, string) error { return notYet("a pool") }

// ListCerts implements vici.Loader.
func (b *Backend) ListCerts(context.Context, vici.CertFilter, func(vici.Cert) error) error {
	return nil
}

// ListAuthorities implements vici.Loader.
func (b *Backend) ListAuthorities(context.Context, string, func(vici.Authority) error) error {
	return nil
}
