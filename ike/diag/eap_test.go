package diag

import "time"

// usersFailures are those of users and EAP, by their constructors.
func usersFailures(failed Where, err error) map[string]*Failure {
	return map[string]*Failure{
		"EAPUnknownUser":         EAPUnknownUser(failed, EAP{User: "ann", Method: "eap-mschapv2"}),
		"EAPUnknownUser/no name": EAPUnknownUser(failed, EAP{}),
		"EAPPassword":            EAPPassword(failed, EAP{User: "ann", Method: "eap-mschapv2", Said: "the password is wrong"}),
		"EAPPaused":              EAPPaused(failed, EAP{User: "ann", Method: "eap-mschapv2"}, Pause{What: "5 wrong passwords of this user from there"}),
		"EAPPaused/everywhere":   EAPPaused(failed, EAP{User: "ann", Method: "eap-mschapv2"}, Pause{What: "20 wrong passwords of this user from everywhere", Everywhere: true}),
		"EAPPaused/everybody":    EAPPaused(failed, EAP{User: "ann", Method: "eap-peap"}, Pause{What: "60 wrong passwords of all users from there", Everybody: true}),
		"EAPAccount":             EAPAccount(failed, EAP{User: "ann", Method: "eap-gtc", Said: "the account is locked"}),
		"EAPAccount/expired":     EAPAccount(failed, EAP{User: "ann", Method: "eap-mschapv2", Said: "the password has expired and has to be changed", Expired: true}),
		"EAPRefused/expired":     EAPRefused(failed, EAP{User: "ann", Said: "the password has expired and has to be changed", Expired: true, Client: true}),
		"EAPMethod":              EAPMethod(failed, EAP{User: "ann"}, "eap-tls", "eap-md5 for user 'ann'"),
		"EAPMethod/client":       EAPMethod(failed, EAP{User: "ann", Client: true}, "eap-tls", "eap-md5"),
		"EAPRefused":             EAPRefused(failed, EAP{User: "ann", Method: "eap-gtc", Client: true}),
		"EAPRefused/why":         EAPRefused(failed, EAP{User: "ann", Said: "the password is wrong", Client: true}),
		"EAPNotAllowed":          EAPNotAllowed(failed, EAP{User: "ann", Method: "eap-tls"}, []string{"guests"}, []Tried{{"rw", "groups are staff"}, {"it", "eap_id is *@x"}}),
		"EAPNotAllowed/none":     EAPNotAllowed(failed, EAP{}, nil, nil),
		"EAPTLS":                 EAPTLS(failed, EAP{User: "ann", Method: "eap-tls", Said: "TLS failed"}, err),
		"EAPTLS/client":          EAPTLS(failed, EAP{User: "ann", Method: "eap-tls", Said: "TLS failed", Client: true}, err),
		"EAPServerNone":          EAPServerNone(failed, EAP{User: "ann"}, err),
		"RADIUSSilent":           RADIUSSilent(failed, EAP{User: "ann"}, RADIUS{Servers: []string{"one (10.0.0.5:1812)", "two (10.0.0.6:1812)"}}),
		"RADIUSLying":            RADIUSLying(failed, EAP{User: "ann"}, RADIUS{Servers: []string{"one (10.0.0.5:1812)"}, Said: "there is no Message-Authenticator"}),
		"RADIUSReject":           RADIUSReject(failed, EAP{User: "ann", Method: "eap-peap"}, RADIUS{Servers: []string{"one"}, Message: "account locked"}),
		"RADIUSReject/no more":   RADIUSReject(failed, EAP{}, RADIUS{Servers: []string{"one"}}),
		"RADIUSAnswer":           RADIUSAnswer(failed, EAP{User: "ann"}, RADIUS{Servers: []string{"one"}, Said: "Access-Accept without EAP-Success"}),
		"EAPBroken":              EAPBroken(failed, EAP{Said: "Success before the method has come to its end"}, ""),
		"EAPOtherKey":            EAPOtherKey(failed, EAP{User: "ann", Method: "eap-mschapv2"}),
		"EAPNotMutual":           EAPNotMutual(failed, EAP{User: "ann", Method: "eap-md5"}),
		"EAPOnlyNotOffered":      EAPOnlyNotOffered(failed),
		"EAPUnfinished":          EAPUnfinished(failed, EAP{User: "ann"}, time.Minute),
		"EAPNothing":             EAPNothing(failed, false),
		"EAPNothing/client":      EAPNothing(failed, true),
	}
}
