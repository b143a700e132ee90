// Command pause is the sandbox container of the hack cluster. It keeps the network namespace of a pod open until it
// is terminated.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	<-told
}
