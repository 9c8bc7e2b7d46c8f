//go:build linux

package integration

import "slices"

// once has a command done in one form only, where it is not the answer that is of interest or where each takes long.
func once(form string) []string { return []string{form} }

// swanSteps are the commands, in the order in which they are given.
func swanSteps() []swanStep {
	return slices.Concat(swanLists(), swanInitiates(), swanSAs(), swanTerminates(), swanErrors(), swanLoads())
}

// swanLists are those for which no tunnel is needed.
func swanLists() []swanStep {
	return []swanStep{
		{args: "--version"},
		{args: "--version --daemon"},
		{args: "--stats"},
		{args: "--list-conns"},
		{args: "--list-sas"},
		{args: "--list-pols"},
		{args: "--list-pools"},
		{args: "--list-pools --leases"},
		{args: "--list-pools --name nobody"},
		{args: "--list-algs"},
		{args: "--list-certs"},
		{args: "--list-authorities"},
		{args: "--flush-certs"},
		{args: "--flush-certs --type x509_crl"},
		{args: "--counters"},
		{args: "--counters --all"},
		{args: "--counters --name gw"},
		{args: "--counters --name nobody"},
		{args: "--reload-settings"},
		{args: "--install --child net --ike gw", forms: once(plainShown)},
		{args: "--install --child web", forms: once(rawShown)},
		{args: "--install --child net --ike gw", forms: once(prettyShown)},
		{args: "--list-pols"},
		{args: "--list-pols --child net"},
		{args: "--list-pols --child web"},
		{args: "--list-pols --trap"},
		{args: "--list-pols --drop"},
		{args: "--list-pols --pass"},
		{args: "--uninstall --child net --ike gw", forms: once(plainShown)},
		{args: "--uninstall --child web", forms: once(rawShown)},
		{args: "--list-pols --trap"},
	}
}

func swanInitiates() []swanStep {
	return []swanStep{
		{args: "--initiate --child net", forms: once(rawShown)},
		{args: "--initiate --child net --timeout 7", after: settled},
		{args: "--initiate --child net --ike gw", forms: once(rawShown), before: down},
		{args: "--initiate --ike gw", forms: once(plainShown), before: down},
		{args: "--list-sas", forms: once(rawShown)},
		{args: "--initiate --child net --timeout 5", forms: once(prettyShown)},
		{args: "--initiate --child net --loglevel 0", forms: once(plainShown), before: down},
		{args: "--initiate --child net --loglevel -1", forms: once(plainShown), before: down},
		{args: "--initiate --child net --timeout -1", forms: once(rawShown), before: down, after: settled},
	}
}

// swanSAs are those about a tunnel that is up.
func swanSAs() []swanStep {
	return []swanStep{
		{args: "--counters --reset --all", before: down},
		{args: "--list-sas", before: up, forms: once(rawShown)},
		{args: "--list-sas"},
		{args: "--list-sas --ike gw"},
		{args: "--list-sas --ike nobody"},
		{args: "--list-sas --ike-id IKE(gw)"},
		{args: "--list-sas --ike-id 9999"},
		{args: "--list-sas --child net"},
		{args: "--list-sas --child web"},
		{args: "--list-sas --child-id CHILD(net)"},
		{args: "--list-sas --noblock"},
		{args: "--stats"},
		{args: "--initiate --child web", forms: once(plainShown)},
		{args: "--list-sas"},
		{args: "--counters --name gw"},
		{args: "--counters --name gw --reset"},
		{args: "--counters --name gw"},
		{args: "--counters --reset"},
		{args: "--counters --reset --all"},
		{args: "--rekey --child net", forms: once(rawShown), before: mark, after: renewed},
		{args: "--rekey --child-id CHILD(web)", forms: once(plainShown), before: mark, after: renewed},
		{args: "--rekey --ike gw", forms: once(prettyShown), before: mark, after: renewed},
		{args: "--rekey --ike-id IKE(gw)", forms: once(plainShown), before: mark, after: renewed},
		{args: "--list-sas", forms: once(prettyShown), before: quiet},
		{args: "--list-sas", forms: once(plainShown)},
		{args: "--rekey --ike gw --reauth", forms: once(rawShown), before: mark, after: renewed},
		{args: "--list-sas", forms: once(rawShown), before: quiet},
	}
}

func swanTerminates() []swanStep {
	return []swanStep{
		{args: "--terminate --child web", forms: once(plainShown)},
		{args: "--list-sas", forms: once(rawShown)},
		{args: "--terminate --child-id CHILD(net)", forms: once(rawShown)},
		{args: "--terminate --child net --timeout 5", forms: once(prettyShown), before: up},
		{args: "--terminate --ike gw", forms: once(rawShown)},
		{args: "--terminate --ike-id IKE(gw)", forms: once(plainShown), before: up},
		{args: "--terminate --ike gw --force", forms: once(prettyShown), before: up},
		{args: "--terminate --ike gw --force --timeout 3", forms: once(rawShown), before: up},
		{args: "--terminate --ike gw --timeout -1", forms: once(rawShown), before: up, after: settled},
		{args: "--terminate --child net --loglevel 0", forms: once(plainShown), before: up},
		{args: "--terminate --ike gw --child net", forms: once(rawShown), before: up},
	}
}

// swanErrors are commands that fail.
func swanErrors() []swanStep {
	return []swanStep{
		{args: "--initiate --child nobody"},
		{args: "--initiate --ike nobody"},
		{args: "--initiate --child net --ike wrong"},
		{args: "--initiate"},
		{args: "--initiate --child twin", forms: once(rawShown), before: down, after: settled},
		{args: "--initiate --child wrong", before: down, after: settled},
		{args: "--initiate --child silent", forms: once(plainShown), before: down},
		{args: "--initiate --child silent --timeout 1", forms: once(rawShown), before: down},
		{args: "--initiate --child refused", forms: once(rawShown), before: up},
		{args: "--initiate --child refused", forms: once(plainShown)},
		{args: "--initiate --child unlike", forms: once(rawShown)},
		{args: "--list-sas", forms: once(rawShown), after: down},
		{args: "--terminate --child net"},
		{args: "--terminate --ike nobody"},
		{args: "--terminate --ike-id 9999"},
		{args: "--terminate --child-id 9999"},
		{args: "--terminate"},
		{args: "--rekey --child net"},
		{args: "--rekey --ike gw"},
		{args: "--rekey --ike-id 9999"},
		{args: "--rekey"},
		{args: "--redirect --ike gw --gateway 198.18.0.9"},
		{args: "--redirect --ike gw"},
		{args: "--redirect --gateway 198.18.0.9"},
		{args: "--redirect --peer-ip 198.18.0.0/24 --gateway 198.18.0.9"},
		{args: "--redirect --peer-id *.example --gateway 198.18.0.9"},
		{args: "--redirect --peer-ip nonsense --gateway 198.18.0.9"},
		{args: "--install --child nobody"},
		{args: "--uninstall --child nobody"},
		{args: "--install --child net --ike nobody"},
		{args: "--uninstall --child net"},
		{args: "--list-sas --ike-id nonsense"},
		{args: "--list-conns --uri unix:///nowhere"},
	}
}
