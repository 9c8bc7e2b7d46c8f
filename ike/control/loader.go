package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"esplanade/config"
	"esplanade/config/tree"
	"esplanade/ike/diag"
	"esplanade/ike/gateway"
	"esplanade/ike/vici"
)

// table makes a tree of a section.
func table(m *vici.Message) *tree.Table {
	t := tree.New(config.OriginVICI)
	for e := range m.All() {
		switch e.Kind {
		case vici.KindValue:
			t.AddText(e.Name, e.Value)
		case vici.KindList:
			t.AddTexts(e.Name, e.List)
		case vici.KindSection:
			t.Add(e.Name, overVICI(), table(e.Section))
		}
	}
	return t
}

// overVICI is the place of what commands bring.
func overVICI() config.Position { return config.Position{File: config.OriginVICI} }

func section(name string, m *vici.Message) config.Section {
	return config.Section{Name: name, At: overVICI(), Table: table(m)}
}

// change changes what is loaded.
func (b *Backend) change(ctx context.Context, edit func(*config.Loaded) (*config.Loaded, error)) error {
	if b.Configuration == nil {
		return notLoading()
	}
	return b.Configuration.Change(ctx, edit)
}

// notLoading is the answer where nothing can be loaded.
func notLoading() error {
	return diag.NotOffered(diag.Where{}, "loading by a command", "write it into the file of the configuration.")
}

// loaded is what is loaded.
func (b *Backend) loaded() *config.Loaded {
	if b.Configuration == nil {
		return nil
	}
	return b.Configuration.InForce().Loaded()
}

// unload takes something away. missing is the error if it is not there.
func (b *Backend) unload(ctx context.Context, from func(*config.Loaded) (*config.Loaded, bool), missing error) error {
	return b.change(ctx, func(l *config.Loaded) (*config.Loaded, error) {
		out, ok := from(l)
		if !ok {
			return l, missing
		}
		return out, nil
	})
}

// notFound is the error about what was not loaded. What the file has is not unloaded by a command.
func notFound(what, name string, of func(*config.Config) bool, c *config.Config) error {
	if of(c) {
		return fmt.Errorf("%s '%s' is in the configuration file %s: take it out of that, and reload it", what, name, c.File)
	}
	return fmt.Errorf("%s '%s' not found for unloading", what, name)
}

// LoadConn implements vici.Loader.
func (b *Backend) LoadConn(ctx context.Context, name string, m *vici.Message) error {
	s := section(name, m)
	return b.change(ctx, func(l *config.Loaded) (*config.Loaded, error) { return l.WithConnection(s) })
}

// UnloadConn implements vici.Loader.
func (b *Backend) UnloadConn(ctx context.Context, name string) error {
	return b.change(ctx, func(l *config.Loaded) (*config.Loaded, error) {
		out, ok := l.WithoutConnection(name)
		if !ok {
			return l, notFound("connection", name, func(c *config.Config) bool { return c.Connection(name) != nil }, b.Configuration.InForce())
		}
		return out, nil
	})
}

// LoadCert implements vici.Loader.
func (b *Backend) LoadCert(ctx context.Context, c vici.LoadCert) error {
	return b.change(ctx, func(l *config.Loaded) (*config.Loaded, error) {
		return l.WithCertificate(config.Certificate{Type: c.Type, Flag: config.CertificateFlag(c.Flag), Data: c.Data, At: overVICI()})
	})
}

// LoadKey implements vici.Loader.
func (b *Backend) LoadKey(ctx context.Context, _ string, data []byte) (id string, err error) {
	err = b.change(ctx, func(l *config.Loaded) (out *config.Loaded, err error) {
		out, id, err = l.WithKey(data, nil, overVICI())
		return out, err
	})
	return id, err
}

// UnloadKey implements vici.Loader.
func (b *Backend) UnloadKey(ctx context.Context, id string) error {
	return b.unload(ctx, func(l *config.Loaded) (*config.Loaded, bool) { return l.WithoutKey(id) }, errors.New("key not found"))
}

// Keys implements vici.Loader.
func (b *Backend) Keys(context.Context) ([]string, error) { return b.loaded().KeyIDs(), nil }

// LoadToken implements vici.Loader.
func (b *Backend) LoadToken(context.Context, vici.Token) (string, error) {
	return "", diag.NotOffered(diag.Where{}, "keys on tokens, PKCS #11 or TPM,", "load the key from a file, with `load-key`.")
}

// LoadShared implements vici.Loader.
func (b *Backend) LoadShared(ctx context.Context, s vici.Shared) error {
	shared := config.Shared{ID: s.ID, At: overVICI(), Kind: s.Type, Data: config.NewSecret(s.Data), Owners: s.Owners}
	return b.change(ctx, func(l *config.Loaded) (*config.Loaded, error) { return l.WithShared(shared) })
}

// UnloadShared implements vici.Loader.
func (b *Backend) UnloadShared(ctx context.Context, id string) error {
	return b.change(ctx, func(l *config.Loaded) (*config.Loaded, error) {
		out, _ := l.WithoutShared(id)
		return out, nil
	})
}

// SharedIDs implements vici.Loader.
func (b *Backend) SharedIDs(context.Context) ([]string, error) { return b.loaded().SharedIDs(), nil }

// ClearCreds implements vici.Loader.
func (b *Backend) ClearCreds(ctx context.Context) error {
	if b.Configuration == nil {
		return notLoading()
	}
	return b.Configuration.Clear(ctx)
}

// FlushCerts implements vici.Loader. Only what tells of revocations is fetched here.
func (b *Backend) FlushCerts(_ context.Context, kind string) error {
	if b.Flush != nil {
		b.Flush(kind == "" || kind == vici.CertX509CRL, kind == "" || kind == vici.CertOCSPResponse)
	}
	return nil
}

// LoadAuthority implements vici.Loader.
func (b *Backend) LoadAuthority(ctx context.Context, name string, m *vici.Message) error {
	s := section(name, m)
	return b.change(ctx, func(l *config.Loaded) (*config.Loaded, error) { return l.WithAuthority(s) })
}

// UnloadAuthority implements vici.Loader.
func (b *Backend) UnloadAuthority(ctx context.Context, name string) error {
	return b.change(ctx, func(l *config.Loaded) (*config.Loaded, error) {
		out, ok := l.WithoutAuthority(name)
		if !ok {
			return l, notFound("certification authority", name, func(c *config.Config) bool {
				return slices.ContainsFunc(c.Authorities, func(a *config.Authority) bool { return a.Name == name })
			}, b.Configuration.InForce())
		}
		return out, nil
	})
}

// Authorities implements vici.Loader.
func (b *Backend) Authorities(context.Context) ([]string, error) {
	return b.loaded().Authorities(), nil
}

// poolAddrs is the key of a pool whose change would take addresses away.
const poolAddrs = "addrs"

// LoadPool implements vici.Loader.
func (b *Backend) LoadPool(ctx context.Context, name string, m *vici.Message) error {
	s := section(name, m)
	return b.change(ctx, func(l *config.Loaded) (*config.Loaded, error) {
		out, err := l.WithPool(s)
		if err != nil || out == l {
			return out, err
		}
		if old := l.Pool(name); old != nil && old.Table.Only(poolAddrs).Equal(s.Table.Only(poolAddrs)) {
			return out, nil // whoever has an address of it keeps that
		}
		return out, b.unused(ctx, name, "replace")
	})
}

// UnloadPool implements vici.Loader.
func (b *Backend) UnloadPool(ctx context.Context, name string) error {
	return b.change(ctx, func(l *config.Loaded) (*config.Loaded, error) {
		out, ok := l.WithoutPool(name)
		if !ok {
			return l, notFound("pool", name, func(c *config.Config) bool { return c.Pool(name) != nil }, b.Configuration.InForce())
		}
		return out, b.unused(ctx, name, "unload")
	})
}

// unused is an error if clients have addresses of a pool.
func (b *Backend) unused(ctx context.Context, name, what string) (err error) {
	if e := b.Commands.Call(ctx, func(_ time.Time, g *gateway.Manager) {
		for _, s := range g.Pools() {
			if s.Name == name && s.Online > 0 {
				err = fmt.Errorf("pool '%s' has %d online leases, unable to %s", name, s.Online, what)
			}
		}
	}); e != nil {
		return e
	}
	return err
}
