with last_advice as (

    select
        account_id,
        arg_max(allocation_run_id, session_date) as run_id
    from {{ ref('advice') }}
    where allocation_run_id is not null
    group by account_id

),

final as (

    select
        allocations.account_id,
        allocations.symbol,
        allocations.weight as target_weight,
        last_advice.run_id as target_run_id
    from {{ ref('stg_allocations') }} as allocations
    inner join last_advice using (account_id, run_id)

)

select * from final
order by account_id, symbol
