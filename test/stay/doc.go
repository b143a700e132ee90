// Package stay tests Limpet's promise over real HTTP: the real binary, its real listener, many clients
// with cookie jars, and pods that tell who they are. Each line of the promise that is about sessions has tests with at
// least 300 of them:
//
//	 1 a session moves only when its own     TestOnlyTheLossOfItsOwnPodMovesASession, TestSessionsStayWhenFilesAreEdited;
//	   pod stops serving                     canaries: TestSessionsKeepTheirSideOfACanaryWhateverItsWeight
//	 2 a terminating pod keeps its sessions  TestSessionsStayWhenFilesAreEdited, TestADrainedPodKeepsItsSessionsAndGetsNoNewOnes,
//	   and gets no new ones                  TestAServiceWhosePodsAreAllDrainedTakesNewClients
//	 3 when the pod is gone, the session     TestSessionsStayWhenFilesAreEdited ("when one is gone"),
//	   moves once                            TestSessionsOfAPodThatIsNotReadyMoveWhenTheyAskForSomething
//	 4 a rolling update causes no 5xx        TestARollingUpdateCausesNo5xx
//	 5 no change touches an open stream      TestAChangeOfConfigurationTouchesNoOpenStream
//	 6 all replicas agree                    TestReplicasAgreeWhateverTheOrderOfEndpoints, TestARollingUpdateCausesNo5xx,
//	                                         TestAReplicaWaitsForThePodOfATokenThatItHasNotHeardOf,
//	                                         TestAFirstBurstOfOneClientLandsOnOnePod,
//	                                         TestReplicasShareWhatTheyLearnAndOutliveTheStore
//	 7 tokens are sealed, keys rotate,       TestTokensThatAreNotOfTheBackendAreTreatedAsAbsent, TestKeyRotationLosesNoSession,
//	   lifetimes are enforced                TestLifetimesAreEnforcedWhateverTheClientDoes
//	 8 two cookies never meet                TestStickyBackendsOfOneHostNeverOverwriteEachOthersCookie
//	 9 new sessions spread, and it is seen   TestNewSessionsSpreadEvenlyOverPodsAndReplicas, TestAHotKeyOverloadsNoPod,
//	                                         TestWhereSessionsAreAndWhatBecameOfThemIsSeen
//	10 one bad object never hurts another    TestAMistakeInOneObjectHurtsNoOther
//	11 sessions survive the move from        TestSessionsOfOtherControllersAreAdoptedOnce,
//	   ingress-nginx                         TestCookiesOfOthersThatLeadNowhereCountAsAbsent
//
// The life of a Service is also lived against a real API server (TestSessionsStayInACluster), with fewer clients; the
// rest runs in `dev`, by editing YAML files.
package stay
