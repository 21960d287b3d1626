-- How did the symbols move beside each other in the last two weeks, one column per symbol?
-- Simple total returns since the bar before; null where a symbol has no bar.
pivot (
    select session_date, symbol, round(simple_return_1d, 6) as simple_return_1d
    from price
    where session_date > (select session_date - 14 from build)
)
on symbol
using first(simple_return_1d)
order by session_date;
