package vici

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
)

// load carries out the commands of a [Loader]. It reports false for a command that is none of them.
func (ss *session) load(ctx context.Context, name string, req *Message) (response *Message, known bool) {
	b := ss.server.backend
	switch name {
	case "load-conn":
		if hasCommand(req) && !mayCommand(ss.conn) {
			return failed(errUpdown), true
		}
		return sections(ctx, req, "connection", b.LoadConn), true
	case "unload-conn":
		return unload(ctx, req, "name", "unload: missing connection name", b.UnloadConn), true
	case "load-authority":
		return sections(ctx, req, "authority", b.LoadAuthority), true
	case "unload-authority":
		return unload(ctx, req, "name", "unload: missing authority name", b.UnloadAuthority), true
	case "get-authorities":
		return listed(ctx, "authorities", b.Authorities), true
	case "load-pool":
		return sections(ctx, req, "pool", func(ctx context.Context, name string, section *Message) error {
			if section.Get("addrs") == "" {
				return errors.New("missing addrs for pool '" + name + "'")
			}
			return b.LoadPool(ctx, name, section)
		}), true
	case "unload-pool":
		return unload(ctx, req, "name", "missing pool name to unload", b.UnloadPool), true
	case "load-cert":
		return ss.loadCert(ctx, req), true
	case "load-key":
		return ss.loadKey(ctx, req), true
	case "unload-key":
		return ss.unloadKey(ctx, req), true
	case "get-keys":
		return listed(ctx, "keys", b.Keys), true
	case "load-token":
		return ss.loadToken(ctx, req), true
	case "load-shared":
		return ss.loadShared(ctx, req), true
	case "unload-shared":
		return unload(ctx, req, "id", "unique identifier missing", b.UnloadShared), true
	case "get-shared":
		return listed(ctx, "keys", b.SharedIDs), true
	case "clear-creds":
		return result(b.ClearCreds(ctx)), true
	case "flush-certs":
		return ss.flushCerts(ctx, req), true
	case "list-certs":
		return ss.listCerts(ctx, req), true
	case "list-authorities":
		return ss.listAuthorities(ctx, req), true
	}
	return nil, false
}

// sections loads each section of a request, of which there is one, as swanctl sends it; strongSwan takes several. What is before the
// first that fails stays loaded.
func sections(ctx context.Context, req *Message, what string, do func(ctx context.Context, name string, section *Message) error) *Message {
	n := 0
	for name, section := range req.Sections() {
		n++
		if err := checkText(what+" name", name); err != nil {
			return failed(err)
		}
		if err := do(ctx, name, section); err != nil {
			return failed(err)
		}
	}
	if n == 0 {
		return failed(fmt.Errorf("missing %s: the request has no section", what))
	}
	return result(nil)
}

// updownKey is the key of a connection whose value is a command that the daemon runs.
const updownKey = "updown"

// errUpdown is the answer to whoever may use the socket, and is not to have the daemon run commands.
var errUpdown = errors.New("updown is a command that the daemon runs: only root and the daemon's own user load it, and this client runs as another user, or the system does " +
	"not say who it is. Fix: load the connection as root, leave updown out, or write the connection into a file")

// hasCommand reports whether something in a message is a command to be run, however deep.
func hasCommand(m *Message) bool {
	for e := range m.All() {
		if e.Name == updownKey && (e.Kind != KindValue || e.Value != "") || e.Kind == KindSection && hasCommand(e.Section) {
			return true
		}
	}
	return false
}

// mayCommand reports whether a client may load commands: whoever is in control.group controls the tunnels, and is no root by that.
func mayCommand(c net.Conn) bool {
	uid, known := peerUser(c)
	return known && (uid == 0 || uid == os.Geteuid())
}

// unload carries out a command that takes away what is named.
func unload(ctx context.Context, req *Message, key, missing string, do func(ctx context.Context, name string) error) *Message {
	name := req.Get(key)
	if name == "" {
		return failed(errors.New(missing))
	}
	if err := checkText(key, name); err != nil {
		return failed(err)
	}
	return result(do(ctx, name))
}

// listed answers with a list of names, as many as fit. swanctl unloads what is in it and not in its files, so that each name is as it was
// loaded, and none is cut.
func listed(ctx context.Context, key string, get func(context.Context) ([]string, error)) *Message {
	names, err := get(ctx)
	if err != nil {
		return failed(err)
	}
	left := MaxSegment - MaxName
	for i, name := range names {
		if left -= 3 + len(name); left < 0 {
			names = names[:i]
			break
		}
	}
	m := new(Message).SetList(key, names...)
	m.elements[0].octets = true
	return m
}

func (ss *session) loadCert(ctx context.Context, req *Message) *Message {
	c, err := parseLoadCert(req)
	if err != nil {
		return failed(err)
	}
	return result(ss.server.backend.LoadCert(ctx, c))
}

func (ss *session) loadKey(ctx context.Context, req *Message) *Message {
	kind, data, err := parseLoadKey(req)
	if err != nil {
		return failed(err)
	}
	return identified(ss.server.backend.LoadKey(ctx, kind, data))
}

// identified answers with the id of what was loaded.
func identified(id string, err error) *Message {
	m := result(err)
	if err == nil {
		m.SetNonEmpty("id", id)
	}
	return m
}

func (ss *session) unloadKey(ctx context.Context, req *Message) *Message {
	id, err := parseHex(req, "id", "key id missing")
	if err != nil {
		return failed(err)
	}
	return result(ss.server.backend.UnloadKey(ctx, id))
}

func (ss *session) loadToken(ctx context.Context, req *Message) *Message {
	t, err := parseToken(req)
	if err != nil {
		return failed(err)
	}
	return identified(ss.server.backend.LoadToken(ctx, t))
}

func (ss *session) loadShared(ctx context.Context, req *Message) *Message {
	s, err := parseShared(req)
	if err != nil {
		return failed(err)
	}
	return result(ss.server.backend.LoadShared(ctx, s))
}

func (ss *session) flushCerts(ctx context.Context, req *Message) *Message {
	kind, _, err := certKind(req, "")
	if err != nil {
		return failed(err)
	}
	return result(ss.server.backend.FlushCerts(ctx, kind))
}

func (ss *session) listCerts(ctx context.Context, req *Message) *Message {
	f, err := parseCertFilter(req)
	if err != nil {
		return failed(err)
	}
	left := 0
	err = ss.server.backend.ListCerts(ctx, f, func(c Cert) error {
		if len(c.DER) > MaxValue { // of a long revocation list the protocol cannot tell
			left++
			return nil
		}
		return ss.stream(ctx, EventListCert, c.message())
	})
	if left > 0 {
		ss.log.Debug("vici: certificates that are too long to be listed", "count", left, "max", MaxValue)
	}
	return streamed(err)
}

func (ss *session) listAuthorities(ctx context.Context, req *Message) *Message {
	return streamed(ss.server.backend.ListAuthorities(ctx, req.Get("name"), func(a Authority) error {
		return ss.stream(ctx, EventListAuthority, a.message())
	}))
}
