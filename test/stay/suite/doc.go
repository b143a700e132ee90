// Command suite counts the sessions that a proxy loses while its pods and its configuration change: make stay.
//
// A scenario is one function over a run. The run has a subject, which is a proxy with the generator of its configuration,
// pods that name themselves, and clients with cookies. All are in one network namespace of this program. The clients judge each
// response by the pod that served it and by whether the session's own pod had stopped serving.
package main
