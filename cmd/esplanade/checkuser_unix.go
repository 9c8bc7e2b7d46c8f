//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// becomeUser makes the whole process that of a user, with its groups and nothing of root's, so that it sees files as a service sees them
// that runs as that user. There is no way back.
func becomeUser(name string) error {
	if os.Geteuid() != 0 {
		return errors.New("--user: only root can check as another user; run as root, or as that user without --user")
	}
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return fmt.Errorf("--user: there is no user %q here; name the User= of the service", name)
		}
	}
	ids, err := u.GroupIds()
	if err != nil {
		return fmt.Errorf("--user: the groups of %q: %w", name, err)
	}
	var groups []int
	for _, s := range ids {
		g, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("--user: the groups of %q: %w", name, err)
		}
		groups = append(groups, g)
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("--user: %q: %w", name, err)
	}
	// The groups first: afterwards there is no right to change them.
	if err := errors.Join(syscall.Setgroups(groups), syscall.Setgid(gid), syscall.Setuid(uid)); err != nil {
		return fmt.Errorf("--user: become %q: %w", name, err)
	}
	return nil
}
