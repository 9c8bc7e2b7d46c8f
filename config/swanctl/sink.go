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

// loading is the sink that a folder is loaded with. To add a thing to a [config.Loaded] costs a copy of its lists, and so they are
// put together in parts.
type loading struct {
	done, part *config.Loaded
	n          int // of the part
}

// partSize is how many things are in a part: about the root of many.
const partSize = 128

// loaded is all that was taken.
func (l *loading) loaded() (*config.Loaded, error) {
	var err error
	l.done, err = l.done.And(l.part)
	l.part, l.n = nil, 0
	return l.done, err
}

// took notes what has become of the part.
func (l *loading) took(part *config.Loaded, err error) error {
	if err != nil {
		return err
	}
	l.part = part
	if l.n++; l.n == partSize {
		_, err = l.loaded()
	}
	return err
}

func (l *loading) certificate(c config.Certificate) error { return l.took(l.part.WithCertificate(c)) }

func (l *loading) key(data, passphrase []byte, at tree.Position) error {
	part, _, err := l.part.WithKey(data, passphrase, at)
	return l.took(part, err)
}

func (l *loading) bundle(data, passphrase []byte, at tree.Position) error {
	return l.took(l.part.WithBundle(data, passphrase, at))
}

func (l *loading) shared(s config.Shared) error { return l.took(l.part.WithShared(s)) }

func (l *loading) connection(s config.Section) error { return l.took(l.part.WithConnection(s)) }

func (l *loading) authority(s config.Section) error { return l.took(l.part.WithAuthority(s)) }

func (l *loading) pool(s config.Section) error { return l.took(l.part.WithPool(s)) }
