package gateway

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/pki/pkitest"
)

// asUser has a side of a configuration by toml be a user of EAP, or check users.
func asUser(text, name, side, keys string) string {
	head := "[connections." + name + "." + side + "]\nauth = "
	return strings.Replace(text, head+"\"psk\"\n", head+"\"eap-mschapv2\"\n"+keys, 1)
}

// Several devices of a user, and of users that call themselves alike: a user has one IKE SA where unique says so, wherever it comes from, and
// INITIAL_CONTACT of a device ends that device's own and no other.
func TestDevicesOfUser(t *testing.T) {
	for _, c := range []struct {
		name, unique           string
		firstUser, firstDevice string
		otherUser, otherDevice string
		first, other           bool // are there in the end
	}{
		{"two devices", "no", "ann", "phone", "ann", "laptop", true, true},
		{"one device that was restarted", "no", "ann", "phone", "ann", "phone", false, true},
		{"two devices, one at a time", "replace", "ann", "phone", "ANN", "laptop", false, true},
		{"two devices, the first stays", "keep", "ann", "phone", "ann", "laptop", true, false},
		{"two devices, whatever they are", "never", "ann", "phone", "ann", "phone", true, true},
		{"two users of one kind of device", "replace", "ann", "phone", "ben", "phone", true, true},
		{"two users of one kind of device, the first stays", "keep", "ann", "phone", "ben", "phone", true, true},
		{"two users of one kind of device, no limit", "no", "ann", "phone", "ben", "phone", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ca := pkitest.CA(t, bubble, "CA", pkitest.P256)
			own, trusted := certificateFiles(t, ca, "b.example")
			users := ""
			for _, u := range []string{"ann", "ben"} {
				users += fmt.Sprintf("[secrets.eap.%s]\nid = %q\nsecret = \"password of %s\"\n", u, u, u)
			}
			gateway := toml(users, called("%any", c.unique))
			gateway = asUser(signed(gateway, "a", own, ""), "a", "remote", "")
			gateway = strings.Replace(gateway, "[connections.a.remote]\nauth = \"pubkey\"", "[connections.a.remote]\nauth = \"eap-mschapv2\"", 1)
			client := func(addr, user, device, network string) string {
				text := toml(fmt.Sprintf("[secrets.eap.me]\nid = %q\nsecret = \"password of %s\"\n", user, strings.ToLower(user)), callerAt(addr, device, network))
				text = strings.Replace(text, "[connections.b.local]\nauth = \"psk\"\n", fmt.Sprintf("[connections.b.local]\nauth = \"eap-mschapv2\"\neap_id = %q\n", user), 1)
				return strings.Replace(text, "[connections.b.remote]\nauth = \"psk\"\n", fmt.Sprintf("[connections.b.remote]\nauth = \"pubkey\"\ncacerts = %q\n", trusted), 1)
			}
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				b := f.start(addrB, gateway)
				f.start(addrA, client(addrA, c.firstUser, c.firstDevice, "10.1.1.0/24"))
				settle(2 * time.Second)
				before, _ := saIDs(b, "a")
				if len(before) != 1 {
					t.Fatalf("the first is not up: %v\n%s", before, b.log)
				}
				f.start(addrC, client(addrC, c.otherUser, c.otherDevice, "10.1.2.0/24"))
				settle(time.Minute)
				var first, other bool
				now, _ := saIDs(b, "a")
				for _, id := range now {
					if id == before[0] {
						first = true
					} else {
						other = true
					}
				}
				if first != c.first || other != c.other {
					t.Errorf("the first is there: %v, want %v; the other: %v, want %v\n%s", first, c.first, other, c.other, b.log)
				}
			})
		})
	}
}
