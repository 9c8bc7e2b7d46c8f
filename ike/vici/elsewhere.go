package vici

import (
	"context"
	"fmt"
)

// elsewhere answers the commands of strongSwan that this daemon has no use for: lists of what it has none of are empty, there is
// nothing to flush, and what would change the configuration says where that is. For an unknown command, swanctl has no other words than
// "No such file or directory".
func (ss *session) elsewhere(ctx context.Context, name string) (response *Message, known bool) {
	const certificates = "this version authenticates with pre-shared keys only, which are in [secrets.ike]"
	switch name {
	case "list-certs", "list-authorities":
		return new(Message), true
	case "get-authorities":
		return new(Message).SetList("authorities"), true
	case "get-keys", "get-shared": // those that were loaded with commands
		return new(Message).SetList("keys"), true
	case "flush-certs":
		return result(nil), true
	case "load-conn", "unload-conn":
		return ss.configured(ctx, "connections are not loaded with commands", "[connections]"), true
	case "load-shared", "unload-shared", "clear-creds":
		return ss.configured(ctx, "keys are not loaded with commands", "[secrets.ike] and [secrets.ppk]"), true
	case "load-cert", "load-key", "unload-key", "load-token":
		return ss.configured(ctx, "there are no certificates and no private keys: "+certificates, ""), true
	case "load-authority", "unload-authority":
		return ss.configured(ctx, "there are no certification authorities: "+certificates, ""), true
	case "load-pool", "unload-pool":
		return ss.configured(ctx, "pools are not loaded with commands", "[pools]"), true
	}
	return nil, false
}

// configured is the answer to what a command cannot do: why, and the file that it is done in.
func (ss *session) configured(ctx context.Context, why, where string) *Message {
	file, err := ss.server.backend.ConfigFile(ctx)
	if err != nil {
		return failed(err)
	}
	if where != "" {
		file = where + " of " + file
	}
	return failed(fmt.Errorf("%s. Fix: edit %s, then load it with swanctl --reload-settings or SIGHUP", why, file))
}
