// Package stay tests Limpet's promise over real HTTP: the real binary, its real listener, many clients
// with cookie jars, and pods that identify themselves. Each line of the promise that is about sessions has tests with
// at least 300 of them:
//
//	 1 a session moves only when its own     TestOnlyOwnPod_movesSession, TestFiles_sessionsStay;
//	   pod stops serving                     canaries: TestCanary_sessionKeepsBackend
//	 2 a terminating pod keeps its sessions  TestFiles_sessionsStay, TestDrain_keepsSessions,
//	   and gets no new ones                  TestDrain_allPods
//	 3 when the pod is gone, the session     TestFiles_sessionsStay ("when one is gone"),
//	   moves once                            TestNotReady_moves
//	 4 a rolling update causes no 5xx        TestRollingUpdate_no5xx
//	 5 no change touches an open stream      TestConfigurationChange_keepsStreams
//	 6 all replicas agree                    TestReplicas_agreeInAnyOrder, TestRollingUpdate_no5xx,
//	                                         TestUnknownPod_replicaWaits,
//	                                         TestFirstBurst_onePod,
//	                                         TestLearned_sharedStore
//	 7 tokens are sealed, keys rotate,       TestToken_otherBackendIsAbsent, TestKeyRotation_keepsSessions,
//	   lifetimes are enforced                TestLifetimes_enforced
//	 8 two cookies never meet                TestCookie_twoBackendsOfOneHost
//	 9 new sessions spread, and it is seen   TestNewSessions_spread, TestBalanceFactor_hotKey,
//	                                         TestMetrics_outcomes
//	10 one bad object never hurts another    TestInvalidObject_affectsNoOther
//	11 sessions survive the move from        TestAdopt_otherControllers,
//	   ingress-nginx                         TestAdopt_unknownCookieIsAbsent
//
// The life of a Service is also lived against a real API server (TestCluster_sessionsStay), with fewer clients; the
// rest runs in `dev`, by editing YAML files.
//
// The program in suite plays scenarios against other proxies, too.
package stay
