package main

// collisions are mutants of what becomes of two requests for the same thing.
func collisions() []Mutant {
	return []Mutant{
		{
			Name: "collision-highest", File: "ike/sa/collision.go", Tests: "^TestCollisionRule$",
			Old: "lessNonce(c.ours.lowest, c.theirs.lowest))", New: "lessNonce(c.theirs.lowest, c.ours.lowest))",
			Why: "this side and another implementation would each delete what the other goes on with",
		},
		{
			Name: "collision-settled", File: "ike/sa/collision.go", Tests: "^TestCollisionRule$",
			Old: "c.theirs.stage == stageSettled || ", New: "",
			Why: "the CHILD SAs would move to an IKE SA that the peer does not use",
		},
		{
			Name: "collision-wait", File: "ike/sa/collision.go", Tests: "^TestCollisionRule$",
			Old: "theirs: fateStays, wait: c.theirs.stage == stageBegun}", New: "theirs: fateStays}",
			Why: "traffic would be put on an SA that does not exist yet",
		},
		{
			Name: "collision-fallback", File: "ike/sa/collision.go", Tests: "^TestCollisionRule$",
			Old: "theirs: c.theirs.stage.redundant(), wait: c.ours.stage == stageBegun}", New: "theirs: c.theirs.stage.redundant()}",
			Why: "the peer's SA would be given up for one that may never be made",
		},
		{
			Name: "collision-stops", File: "ike/sa/collision.go", Tests: "^TestCollisionRule$",
			Old: "		return fateStops\n", New: "		return fateCloses\n",
			Why: "an SA that does not exist would be deleted, and the exchanges behind it made",
		},
		{
			Name: "collision-nonce-octets", File: "ike/sa/collision.go", Tests: "^TestLowestNonce$",
			Old: "	n := min(len(a), len(b))\n", New: "	if len(a) != len(b) {\n		return len(a) < len(b)\n	}\n	n := min(len(a), len(b))\n",
			Why: "nonces of different length would be compared as no other implementation does",
		},
		{
			Name: "collision-rival-gone", File: "ike/sa/collision_rekey.go", Tests: "^TestChildCollisionStages$",
			Old: "t.rival != nil && (t.rival.State != ChildDeleted || t.rival.successor != nil):", New: "t.rival != nil:",
			Why: "traffic would be left to a CHILD SA that the peer has deleted",
		},
		{
			Name: "twin-of-what-leaves", File: "ike/sa/twin.go", Tests: "^TestTwinOfWhatLeaves$",
			Old: "heir.live() && !m.leaves(heir) && ", New: "heir.live() && ",
			Why: "a child would be given up for one that is about to be deleted, and nobody would ask for it again",
		},
		{
			Name: "served-by-what-leaves", File: "ike/sa/more_child.go", Tests: "^TestChildAskedForWhileItLeaves$",
			Old: "c.live() && !m.leaves(c) && ", New: "c.live() && ",
			Why: "whoever asks for a child would wait for good",
		},
		{
			Name: "queue-full-in-silence", File: "ike/sa/create_child.go", Tests: "^TestMoreChildrenThanMayWait$",
			Old: "trigger: trigger}) && m.state != StateDeleting", New: "trigger: trigger}) && m.state == StateDeleting",
			Why: "of many children that are brought up at once, some would be connecting for good",
		},
		{
			Name: "collision-useless-answer", File: "ike/sa/rekey_child.go", Tests: "^TestCollisionWithUselessAnswer$",
			Old: "v.ours == fateCloses {\n			t.heed(m, r.now, v)\n", New: "v.ours == fateCloses {\n			m.retryRekey(r.now, old)\n",
			Why: "the peer's new CHILD SA would never be sent on, and the end of the old one be reported as a loss",
		},
	}
}
