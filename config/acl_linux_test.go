package config

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAccessControlLists: a credential of systemd is a file of root's that the service's user may read by an access control list;
// its mode says 0440. No list lets anybody else at a key.
func TestAccessControlLists(t *testing.T) {
	needRoot(t)
	name := write(t, filepath.Join(tempDir(t), "key"), testKey, 0o400)
	type entry struct {
		Tag, Perm uint16
		ID        uint32
	}
	const none = 1<<32 - 1
	const owner, user, group, named, mask, other = 1, 2, 4, 8, 0x10, 0x20
	for what, c := range map[string]struct {
		list []entry
		read bool
	}{
		"the service":      {[]entry{{owner, 4, none}, {user, 4, serviceUser}, {group, 0, none}, {mask, 4, none}, {other, 0, none}}, true},
		"its group":        {[]entry{{owner, 4, none}, {group, 0, none}, {named, 4, serviceGroup}, {mask, 4, none}, {other, 0, none}}, true},
		"masked":           {[]entry{{owner, 4, none}, {user, 4, serviceUser}, {user, 2, 4711}, {group, 0, none}, {mask, 4, none}, {other, 0, none}}, true},
		"another user":     {[]entry{{owner, 4, none}, {user, 4, 4711}, {user, 4, serviceUser}, {group, 0, none}, {mask, 4, none}, {other, 0, none}}, false},
		"another group":    {[]entry{{owner, 4, none}, {user, 4, serviceUser}, {group, 0, none}, {named, 4, 4711}, {mask, 4, none}, {other, 0, none}}, false},
		"the file's group": {[]entry{{owner, 4, none}, {user, 4, serviceUser}, {group, 4, none}, {mask, 4, none}, {other, 0, none}}, false},
		"write":            {[]entry{{owner, 4, none}, {user, 6, serviceUser}, {group, 0, none}, {mask, 6, none}, {other, 0, none}}, false},
		"all others":       {[]entry{{owner, 4, none}, {user, 4, serviceUser}, {group, 0, none}, {mask, 4, none}, {other, 4, none}}, false},
	} {
		b := binary.LittleEndian.AppendUint32(nil, 2)
		for _, e := range c.list {
			b, _ = binary.Append(b, binary.LittleEndian, e)
		}
		if err := unix.Setxattr(name, "system.posix_acl_access", b, 0); err != nil {
			t.Skipf("NOT TESTED: no access control lists here: %v", err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o070 == 0 {
			t.Fatal(what, info, err)
		}
		got := as(t, "read", name, serviceUser, serviceGroup)
		if c.read && got != "<nil>" || !c.read && !strings.Contains(got, "can be used by others") {
			t.Errorf("%s: %s", what, got)
		}
	}
}
