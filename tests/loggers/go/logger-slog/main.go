// Prints as slog does, with its JSON handler.
package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{AddSource: true}))
	log.Info("paid", "order", 4000, slog.Group("customer", "group", "new"))
	cause := errors.New("no money")
	log.Error("it failed", "err", fmt.Errorf("order 4001 is not paid: %w", cause))
	log.Warn("once more", "error", cause)
}
