{#-
  Only sessions that a return needs are valued: those with external flows, the one before each,
  the starts of the periods and the build's own. What no bigint holds, as of what was recorded
  by mistake and put right later, is not known: one such account must not stop the build.
-#}
{%- set stale_after = 5 -%}

with accounts as (

    select account_id, client_id, goal_id from {{ ref('stg_accounts') }}

),

sessions as (

    select
        session_date,
        lag(session_date) over (order by session_date) as session_date_before,
        row_number() over (order by session_date) as session_number
    from {{ ref('stg_sessions') }}

),

events as (

    select * from {{ ref('int_account_events') }}

),

first_events as (

    select accounts.client_id, min(events.session_date) as session_date
    from events
    inner join accounts using (account_id)
    group by accounts.client_id

),

valued_sessions as (

    select first_events.client_id, wanted.session_date
    from first_events
    inner join (
        select accounts.client_id, unnest([events.session_date, sessions.session_date_before])
            as session_date
        from events
        inner join accounts using (account_id)
        inner join sessions using (session_date)
        where events.external_micros <> 0
        union
        select first_events.client_id, periods.start_session_date
        from first_events
        cross join {{ ref('int_return_periods') }} as periods
        union
        select first_events.client_id, cut.session_date
        from first_events
        cross join {{ ref('stg_cut') }} as cut
    ) as wanted
        on first_events.client_id = wanted.client_id
        and first_events.session_date <= wanted.session_date

),

running as (

    select
        account_id,
        symbol,
        session_date,
        sum(quantity_micros) over (
            partition by account_id, symbol order by session_date
        ) as quantity_micros
    from events

),

positions as (

    select
        wanted.account_id,
        wanted.session_date,
        wanted.symbol,
        running.quantity_micros
    from (
        select held.account_id, held.symbol, valued_sessions.session_date
        from (select distinct account_id, symbol from events) as held
        inner join accounts using (account_id)
        inner join valued_sessions using (client_id)
    ) as wanted
    asof join running
        on wanted.account_id = running.account_id
        and wanted.symbol = running.symbol
        and wanted.session_date >= running.session_date

),

flows as (

    select account_id, session_date, symbol, external_micros from events
    where external_micros <> 0

),

bars as (

    select
        wanted.symbol,
        wanted.session_date,
        max(panel.session_date) as bar_session_date,
        arg_max(panel.close_micros, panel.session_date) as close_micros,
        arg_max(panel.price_basis, panel.session_date) as price_basis
    from (
        select symbol, session_date from positions where quantity_micros <> 0
        union
        select symbol, session_date from flows
    ) as wanted
    inner join sessions using (session_date)
    inner join sessions as recent
        on recent.session_number between
            sessions.session_number - {{ stale_after }} and sessions.session_number
    inner join {{ ref('int_panel') }} as panel
        on wanted.symbol = panel.symbol and recent.session_date = panel.session_date
    group by wanted.symbol, wanted.session_date

),

prices as (

    select
        bars.symbol,
        bars.session_date,
        any_value(bars.close_micros) as close_micros,
        coalesce(
            list_product(list(actions.amount order by actions.session_date)
                filter (where actions.amount is not null)),
            1
        ) as share_ratio
    from bars
    left join {{ ref('stg_actions') }} as actions
        on bars.symbol = actions.symbol
        and bars.bar_session_date < actions.session_date
        and actions.kind = 'split'
        and bars.price_basis = 'as_traded'
    group by bars.symbol, bars.session_date

),

changes as (

    select
        positions.account_id,
        positions.session_date,
        positions.symbol,
        positions.quantity_micros,
        coalesce(flows.external_micros, 0) as external_micros
    from positions
    left join flows using (account_id, session_date, symbol)

),

in_dollars as (

    select
        changes.account_id,
        changes.session_date,
        case
            when changes.symbol = '$CASH' then changes.quantity_micros
            when changes.quantity_micros = 0 then 0
            else try_cast(round_even(
                changes.quantity_micros * (prices.close_micros / (prices.share_ratio * 1e6)), 0
            ) as bigint)
        end as worth_micros,
        case
            when changes.symbol = '$CASH' then changes.external_micros
            when changes.external_micros = 0 then 0
            else try_cast(round_even(
                changes.external_micros * (prices.close_micros / (prices.share_ratio * 1e6)), 0
            ) as bigint)
        end as flow_micros
    from changes
    left join prices using (symbol, session_date)

),

by_account as (

    select
        in_dollars.account_id,
        accounts.goal_id,
        accounts.client_id,
        in_dollars.session_date,
        try_cast(case when count(*) = count(in_dollars.worth_micros)
            then sum(in_dollars.worth_micros)
        end as bigint) as worth_micros,
        try_cast(case when count(*) = count(in_dollars.flow_micros)
            then sum(in_dollars.flow_micros)
        end as bigint) as flow_micros
    from in_dollars
    inner join accounts using (account_id)
    group by all

),

by_owner as (

    select
        *,
        'account' as owner_kind,
        account_id as owner_id
    from by_account
    union all by name
    select
        *,
        'goal' as owner_kind,
        goal_id as owner_id
    from by_account
    union all by name
    select
        *,
        'client' as owner_kind,
        client_id as owner_id
    from by_account

),

final as (

    select
        owner_kind,
        owner_id,
        client_id,
        session_date,
        try_cast(
            case when count(*) = count(worth_micros) then sum(worth_micros) end as bigint
        ) as worth_micros,
        try_cast(
            case when count(*) = count(flow_micros) then sum(flow_micros) end as bigint
        ) as flow_micros
    from by_owner
    group by owner_kind, owner_id, client_id, session_date

)

select * from final
order by owner_kind, owner_id, session_date
