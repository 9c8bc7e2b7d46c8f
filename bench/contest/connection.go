package contest

import (
	"cmp"
	"fmt"
	"strings"
)

const (
	// PSK is the pre-shared key of every IPsec contestant; the lab is not connected to anything.
	PSK = "side by side"
	// IKEProposal is that of all IPsec contestants.
	IKEProposal = "aes128gcm16-prfsha256-x25519"
	// firstName is the connection whose head [StartEsplanade] writes.
	firstName = "bench"
)

// Connection is one of Esplanade's, with a pre-shared key, one CHILD SA, and ESP in UDP.
type Connection struct {
	Name              string // empty for the first one
	IKE               string // the proposal of all but the first; IKEProposal if empty
	Local, Remote     string // addresses; any peer if Remote is empty
	LocalID, RemoteID string // those addresses if empty, and %any for any peer
	// LocalAuth and RemoteAuth are lines with auth and what goes with it; a pre-shared key if empty.
	LocalAuth, RemoteAuth string
	Keys                  string // further lines
	Child                 string // "net" if empty
	LocalTS, RemoteTS     string
	ESP                   string
	ChildKeys             string // further lines
}

// String is the connection in the configuration, without its head if it is the first.
func (c Connection) String() string {
	var b strings.Builder
	name := cmp.Or(c.Name, firstName)
	if c.Name != "" {
		fmt.Fprintf(&b, "[connections.%s]\nproposals = [%q]\n", name, cmp.Or(c.IKE, IKEProposal))
	}
	fmt.Fprintf(&b, "local_addrs = [%q]\nremote_addrs = [%q]\nencap = true\n%s", c.Local, cmp.Or(c.Remote, "%any"), lines(c.Keys))
	for _, end := range [][3]string{{"local", cmp.Or(c.LocalID, c.Local), c.LocalAuth}, {"remote", cmp.Or(c.RemoteID, c.Remote, "%any"), c.RemoteAuth}} {
		fmt.Fprintf(&b, "[connections.%s.%s]\n%sid = %q\n", name, end[0], lines(cmp.Or(end[2], "auth = \"psk\"")), end[1])
	}
	fmt.Fprintf(&b, "[connections.%s.children.%s]\nlocal_ts = [%q]\nremote_ts = [%q]\nesp_proposals = [%q]\n%s", name, cmp.Or(c.Child, "net"),
		c.LocalTS, c.RemoteTS, c.ESP, lines(c.ChildKeys))
	return b.String()
}

// lines is text that ends a line, if there is any.
func lines(text string) string {
	if text == "" {
		return ""
	}
	return strings.TrimRight(text, "\n") + "\n"
}
