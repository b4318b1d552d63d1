<?php
namespace Shop;
class NoMoney extends \RuntimeException {}
class NotPaid extends \Exception {}
class Bank {
    public static function order(int $number, string ...$more): int {
        if ($number > 3) { throw new \DomainException("no order\nof that number", 7); }
        return $number;
    }
    public function take(int $number, array $of, ?object $by, string $for): int {
        try { return self::order($number, $for); }
        catch (\DomainException $e) { throw new NoMoney("broke", 0, $e); }
    }
}
function pay(int $number): int {
    try { return array_sum(array_map(fn($n) => (new Bank)->take($n, [1], null, "a long text that is cut by PHP"), [$number])); }
    catch (NoMoney $e) { throw new NotPaid("order $number\nis not paid", 0, $e); }
}
try { pay(4); } catch (\Throwable $e) {
    error_log($e);
    error_log("it failed: $e");
    error_log("Error: " . $e->getMessage() . "\n" . $e->getTraceAsString());
    fwrite(STDERR, $e . "\n");
}
fwrite(STDERR, "next\n");
echo $undefined;
trigger_error("careful\nwith that", E_USER_WARNING);
fwrite(STDERR, "next\n");
pay(5);
