{#-
  What one share held since the symbol's bar before became by each bar: actions with an ex-date
  after that bar and not after this one, in order of their dates. Growth adds up as whole numbers
  of 1e-15 in logs, so that its difference between two bars depends on nothing outside of them.
-#}
with prices as (

    select
        symbol,
        session_date,
        close,
        close_micros,
        price_basis
    from {{ ref('stg_prices') }}
    qualify price_basis is not distinct from first_value(price_basis) over (
        partition by symbol order by session_date
    )

),

numbered as (

    select
        *,
        row_number() over (partition by symbol order by session_date) as session_number
    from prices

),

action_days as (

    select
        symbol,
        session_date as ex_date,
        coalesce(max(amount) filter (where kind = 'split'), 1)::double as share_ratio,
        (
            coalesce(max(amount) filter (where kind = 'dividend'), 0)
            + coalesce(max(amount) filter (where kind = 'capital_gain'), 0)
        )::double as cash
    from {{ ref('stg_actions') }}
    group by symbol, session_date

),

shown as (

    select
        numbered.symbol,
        numbered.session_date,
        action_days.ex_date,
        case when numbered.price_basis = 'as_traded' then action_days.share_ratio
            else 1
        end::double as share_ratio,
        action_days.cash
    from action_days
    asof join numbered
        on action_days.symbol = numbered.symbol
        and action_days.ex_date <= numbered.session_date
    where numbered.session_number > 1 and numbered.price_basis <> 'total_return'

),

steps as (

    select
        symbol,
        session_date,
        list_reduce(
            list({'shares': share_ratio, 'cash': cash} order by ex_date),
            lambda held, day: {
                'shares': held.shares * day.shares,
                'cash': held.cash + held.shares * day.shares * day.cash
            },
            {'shares': 1::double, 'cash': 0::double}
        ) as step
    from shown
    group by symbol, session_date

),

adjustment as (

    select
        numbered.symbol,
        numbered.session_date,
        numbered.session_number,
        numbered.close,
        numbered.close_micros,
        numbered.price_basis,
        coalesce(steps.step.shares, 1)::double as share_ratio,
        coalesce(steps.step.cash, 0)::double as cash,
        steps.step is not null as has_action
    from numbered
    left join steps using (symbol, session_date)

)

select
    *,
    (count(*) filter (where has_action) over sessions)::bigint as action_count,
    (sum(
        case when has_action then round(ln(share_ratio) * 1e15, 0)::bigint else 0 end
    ) over sessions)::bigint as share_femtos,
    (sum(
        case when has_action then round(ln(share_ratio + cash / close) * 1e15, 0)::bigint else 0 end
    ) over sessions)::bigint as growth_femtos
from adjustment
window sessions as (partition by symbol order by session_date)
order by symbol, session_date
