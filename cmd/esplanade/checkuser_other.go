//go:build !unix

package main

import "errors"

// becomeUser is for systems with users as Unix has them.
func becomeUser(string) error { return errors.New("--user: not on this system") }
