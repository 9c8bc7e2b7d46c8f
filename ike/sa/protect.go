package sa

import (
	"fmt"

	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// seal protects payloads with SK, or with SKF when the peer knows fragmentation and the datagram would be larger than
// the configured size. It returns the datagrams in order.
func (m *Machine) seal(h wire.Header, payloads []wire.Payload) [][]byte {
	datagrams, _ := m.sealWhole(h, payloads)
	return datagrams
}

// sealWhole also returns what it takes to protect the same message again in smaller fragments.
func (m *Machine) sealWhole(h wire.Header, payloads []wire.Payload) ([][]byte, *whole) {
	w := &whole{header: h, first: wire.FirstType(payloads), plain: wire.AppendPayloads(nil, payloads), sealer: m.sealer}
	m.countOwn(h, w.first, w.plain)
	if limit := m.fragmentSize(); limit > 0 && w.size() > limit {
		if frags := w.fragments(limit); frags != nil {
			return frags, w
		}
	}
	b := wire.AppendProtected(nil, h, w.first, w.sealer.BodyLen(len(w.plain)))
	return [][]byte{sealTo(w.sealer, b, w.plain)}, w
}

const (
	skHeaderLen  = 4 // generic payload header, RFC 7296 section 3.2
	skfHeaderLen = 8 // with fragment number and total, RFC 7383 section 2.5
)

func sealTo(p suite.Protection, b, plain []byte) []byte {
	out, err := p.Seal(b, len(b), plain)
	if err != nil {
		// Counter IVs of 64 bits do not run out in an SA's life, and lengths are ours.
		panic(fmt.Sprintf("BUG: sealing an IKE message: %v", err))
	}
	return out
}

// setKeys derives the SK_* keys and makes the protection of both directions from them.
func (m *Machine) setKeys(skeyseed, ni, nr []byte) error {
	keys, err := suite.DeriveKeys(m.chosen, skeyseed, ni, nr, m.spii(), m.spir())
	if err != nil {
		return err
	}
	return m.useKeys(keys)
}

// useKeys protects with these keys from now on.
func (m *Machine) useKeys(keys suite.Keys) error {
	i, err := suite.NewProtection(m.chosen, keys.Ei, keys.Ai)
	if err != nil {
		return err
	}
	r, err := suite.NewProtection(m.chosen, keys.Er, keys.Ar)
	if err != nil {
		return err
	}
	m.keys = keys
	if m.initiator {
		m.sealer, m.opener = i, r
	} else {
		m.sealer, m.opener = r, i
	}
	if m.env.ExportKeys {
		m.emit(KeysDerived{SPIi: m.spii(), SPIr: m.spir(), Keys: keys})
	}
	return nil
}

// ownP and peerP are SK_pi or SK_pr, by role.
func (m *Machine) ownP() []byte {
	if m.initiator {
		return m.keys.Pi
	}
	return m.keys.Pr
}

func (m *Machine) peerP() []byte {
	if m.initiator {
		return m.keys.Pr
	}
	return m.keys.Pi
}
