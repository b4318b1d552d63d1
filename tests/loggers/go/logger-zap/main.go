// Prints as zap does in production.
package main

import (
	"errors"
	"fmt"

	"go.uber.org/zap"
)

func main() {
	config := zap.NewProductionConfig()
	config.OutputPaths = []string{"stdout"}
	log, err := config.Build()
	if err != nil {
		panic(err)
	}
	log = log.Named("shop")
	log.Info("paid", zap.Int("order", 4000))
	cause := errors.New("no money")
	log.Error("it failed", zap.Error(fmt.Errorf("order 4001 is not paid: %w", cause)))
}
