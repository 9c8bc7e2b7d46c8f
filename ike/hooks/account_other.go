//go:build !unix

package hooks

import (
	"errors"
	"os/exec"
)

// account is the user whom commands run as: the daemon's.
type account struct{}

func lookUp(name string) (account, error) {
	if name != "" {
		return account{}, errors.New("commands run as the user of the daemon on this system; remove the key")
	}
	return account{}, nil
}

// prepare leaves it to the system how a command is killed.
func (account) prepare(*exec.Cmd) {}
