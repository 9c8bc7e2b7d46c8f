package wgquick

import (
	"crypto/ecdh"
	"encoding/base64"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// maxPeers bounds the peers of a file: each becomes a configuration of its own.
const maxPeers = 4096

// line is a key with its value.
type line struct {
	at         tree.Position
	key, value string
}

// end is a file: an interface, and its peers.
type end struct {
	name    string // of the file, without .conf
	at      tree.Position
	comment []string
	public  string // the public key of the interface; "" if there is no private key
	addrs   []netip.Prefix
	peers   []*peer
	rest    []line // of the interface, what is not carried over
	foot    []string
}

// peer is a section [Peer].
type peer struct {
	at      tree.Position
	comment []string
	beside  string
	public  string
	host    string // of Endpoint; "" for none
	hostAt  tree.Position
	allowed []netip.Prefix
	rest    []line
}

// parse reads a file.
func parse(file, text string) (*end, *migrate.Error) {
	e := &end{name: strings.TrimSuffix(filepath.Base(file), ".conf"), at: tree.Position{File: file, Line: 1, Column: 1}}
	if file == migrate.Stdin {
		e.name = "wg0"
	}
	var above []string
	var p *peer
	section := ""
	n := 0
	for raw := range strings.Lines(text) {
		n++
		at := tree.Position{File: file, Line: n, Column: 1 + len(raw) - len(strings.TrimLeft(raw, " \t"))}
		body, comment, hasComment := strings.Cut(strings.TrimRight(raw, "\r\n"), "#")
		body, comment = strings.TrimSpace(body), strings.TrimSpace(comment)
		switch low := strings.ToLower(body); {
		case body == "" && hasComment:
			above = append(above, comment)
		case body == "":
			if len(above) > 0 && above[len(above)-1] != "" {
				above = append(above, "")
			}
		case low == "[interface]":
			if section != "" {
				return nil, migrate.Fail(at, "there is a second [Interface], or one behind a [Peer]")
			}
			section, e.at, e.comment = "interface", at, append(above, comments(comment)...)
			above = nil
		case low == "[peer]":
			if section == "" {
				return nil, migrate.Fail(at, "a [Peer] comes behind [Interface]")
			}
			if section = "peer"; len(e.peers) >= maxPeers {
				return nil, migrate.Fail(at, fmt.Sprintf("there are more than %d peers", maxPeers))
			}
			p = &peer{at: at, comment: above, beside: comment}
			above = nil
			e.peers = append(e.peers, p)
		case strings.HasPrefix(body, "["):
			return nil, migrate.Fail(at, "there are only [Interface] and [Peer]")
		default:
			key, value, ok := strings.Cut(body, "=")
			l := line{at, strings.TrimSpace(key), strings.TrimSpace(value)}
			switch {
			case !ok || l.key == "":
				return nil, migrate.Fail(at, "a line is Key = Value")
			case section == "":
				return nil, migrate.Fail(at, "there is a key before [Interface]")
			}
			var err *migrate.Error
			if section == "interface" {
				err = e.key(l)
			} else {
				err = p.key(l)
			}
			if err != nil {
				return nil, err
			}
			if lines := append(above, comments(comment)...); len(lines) > 0 {
				if p == nil {
					e.comment = append(e.comment, lines...)
				} else {
					p.comment = append(p.comment, lines...)
				}
			}
			above = nil
		}
	}
	if e.foot = above; section == "" {
		return nil, migrate.Fail(e.at, "there is no [Interface]")
	}
	return e, nil
}

func comments(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// key takes a key of the interface.
func (e *end) key(l line) *migrate.Error {
	switch strings.ToLower(l.key) {
	case "privatekey":
		raw, err := base64.StdEncoding.DecodeString(l.value)
		if err != nil {
			return migrate.Fail(l.at, "PrivateKey is not 32 bytes in Base64")
		}
		key, err := ecdh.X25519().NewPrivateKey(raw)
		if err != nil {
			return migrate.Fail(l.at, "PrivateKey is not 32 bytes in Base64")
		}
		e.public = base64.StdEncoding.EncodeToString(key.PublicKey().Bytes())
	case "address":
		list, err := prefixes(l, false)
		e.addrs = append(e.addrs, list...)
		return err
	case "listenport", "saveconfig": // IKE has its own port; nothing is saved
	default:
		e.rest = append(e.rest, l)
	}
	return nil
}

// key takes a key of a peer.
func (p *peer) key(l line) *migrate.Error {
	switch strings.ToLower(l.key) {
	case "publickey":
		if raw, err := base64.StdEncoding.DecodeString(l.value); err != nil || len(raw) != 32 {
			return migrate.Fail(l.at, "PublicKey is not 32 bytes in Base64")
		}
		p.public = l.value
	case "presharedkey", "persistentkeepalive": // there is a fresh key; NAT is kept open anyway
	case "endpoint":
		i := strings.LastIndexByte(l.value, ':')
		if i <= 0 {
			return migrate.Fail(l.at, "Endpoint is ADDRESS:PORT")
		}
		p.host, p.hostAt = strings.Trim(l.value[:i], "[]"), l.at
		if a, err := netip.ParseAddr(p.host); err == nil {
			p.host = a.String()
		} else if strings.Trim(p.host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != "" || !strings.Contains(p.host, ".") && p.host != "localhost" {
			return migrate.Fail(l.at, "Endpoint has neither an address nor a DNS name")
		}
	case "allowedips":
		list, err := prefixes(l, true)
		p.allowed = append(p.allowed, list...)
		return err
	default:
		p.rest = append(p.rest, l)
	}
	return nil
}

// prefixes reads addresses with or without a length.
func prefixes(l line, masked bool) (out []netip.Prefix, e *migrate.Error) {
	for s := range strings.SplitSeq(l.value, ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, errAddr := netip.ParseAddr(s)
			if errAddr != nil || a.Zone() != "" {
				return nil, migrate.Fail(l.at, l.key+" has something in it that is no network")
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if p.Addr().Is4In6() {
			return nil, migrate.Fail(l.at, l.key+" has an IPv4 address written as one of IPv6")
		}
		if masked {
			p = p.Masked()
		}
		out = append(out, p)
	}
	return out, nil
}
