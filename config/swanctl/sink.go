package swanctl

import (
	"esplanade/config"
	"esplanade/config/tree"
)

// sink takes what is in a folder, one thing after the other.
type sink interface {
	certificate(config.Certificate) error
	key(data, passphrase []byte, at tree.Position) error
	bundle(data, passphrase []byte, at tree.Position) error
	shared(config.Shared) error
	connection(config.Section) error
	authority(config.Section) error
	pool(config.Section) error
}

// loading is the sink that a folder is loaded with.
type loading struct{ loaded *config.Loaded }

// took puts in force what has become of it.
func (l *loading) took(loaded *config.Loaded, err error) error {
	if err == nil {
		l.loaded = loaded
	}
	return err
}

func (l *loading) certificate(c config.Certificate) error { return l.took(l.loaded.WithCertificate(c)) }

func (l *loading) key(data, passphrase []byte, at tree.Position) error {
	loaded, _, err := l.loaded.WithKey(data, passphrase, at)
	return l.took(loaded, err)
}

func (l *loading) bundle(data, passphrase []byte, at tree.Position) error {
	return l.took(l.loaded.WithBundle(data, passphrase, at))
}

func (l *loading) shared(s config.Shared) error { return l.took(l.loaded.WithShared(s)) }

func (l *loading) connection(s config.Section) error { return l.took(l.loaded.WithConnection(s)) }

func (l *loading) authority(s config.Section) error { return l.took(l.loaded.WithAuthority(s)) }

func (l *loading) pool(s config.Section) error { return l.took(l.loaded.WithPool(s)) }
