package wire

// readAllData calls every accessor of notification data: none may panic, and
// what one returns isn't looked at.
func readAllData(n *Notify) (failed int) {
	count := func(err error) {
		if err != nil {
			failed++
			_ = err.Error()
		}
	}
	_, err := n.AcceptedGroup()
	count(err)
	_, err = n.Cookie()
	count(err)
	_, err = n.NATDetectionHash()
	count(err)
	_, _, err = n.ChildSPI()
	count(err)
	_, err = n.InvalidSPI()
	count(err)
	_, err = n.AuthLifetime()
	count(err)
	_, err = n.HashAlgorithms()
	count(err)
	_, err = n.SupportedAuthMethods()
	count(err)
	_, err = n.AdditionalAddress()
	count(err)
	_, _, err = n.NoNATsAllowed()
	count(err)
	_, err = n.QCDToken()
	count(err)
	_, err = n.Cookie2()
	count(err)
	_, err = n.MessageIDSync()
	count(err)
	_, _, err = n.PPKIdentity()
	count(err)
	_, _, err = n.Redirect()
	count(err)
	_, err = n.RedirectedFrom()
	count(err)
	_, _, err = n.TicketLT()
	count(err)
	return failed
}
